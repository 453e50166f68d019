# shellcheck shell=bash
# The browser of the tests: the one on PATH, else installed with apt, else one sentence says what to install.

BROWSER_PROBLEM=""

find_browser() {
    local name path
    for name in chromium google-chrome chromium-browser google-chrome-stable; do
        path=$(command -v "$name") && [ "${path%/*}" != "$DEV_HOME/bin" ] && { echo "$path"; return; }
    done
    return 1
}

# Sets BROWSER_PROBLEM instead of ending: the tests that need no browser still run, and the others fail the run.
ensure_browser() {
    local browser
    if ! browser=$(find_browser); then
        apt_install chromium || true
        hash -r
        browser=$(find_browser) || {
            BROWSER_PROBLEM="no chromium on the PATH and it could not be installed with apt: install the package chromium"
            say "$BROWSER_PROBLEM"
            return 0
        }
    fi
    # under the name that Odoo looks for first; the flags keep the browser from calling its maker's hosts
    cat >"$DEV_HOME/bin/google-chrome.$$" <<W
#!/bin/sh
exec "$browser" --disable-component-update --disable-sync --disable-quic --disable-background-networking "\$@"
W
    chmod +x "$DEV_HOME/bin/google-chrome.$$"
    mv "$DEV_HOME/bin/google-chrome.$$" "$DEV_HOME/bin/google-chrome"
}
