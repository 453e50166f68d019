import { onWillUnmount, status, useComponent, useEffect } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { useService } from "@web/core/utils/hooks";

const CHANNEL_PREFIX = "ksef_move_";
const NOTIFICATION = "l10n_pl_ksef.changed";
/** Components that listen to a channel; the bus itself knows a channel only once per tab. */
const listeners = new Map();

function listen(bus, resId) {
    const channel = CHANNEL_PREFIX + resId;
    const count = listeners.get(channel) || 0;
    listeners.set(channel, count + 1);
    if (!count) {
        bus.addChannel(channel);
    }
}

function stopListening(bus, resId) {
    const channel = CHANNEL_PREFIX + resId;
    const count = listeners.get(channel) - 1;
    if (count) {
        listeners.set(channel, count);
    } else {
        listeners.delete(channel);
        bus.deleteChannel(channel);
    }
}

/**
 * Calls back when the state in KSeF of an invoice on screen has changed.
 *
 * Only the id of the invoice comes over the bus, and only to users who may read it; the values are read as usual. What
 * arrives within the pause is handed over at once, so that a thousand changes don't mean a thousand readings.
 *
 * @param {() => number[]} getIds the invoices shown now
 * @param {(ids: Set<number>) => Promise} onChange
 * @param {number} pause milliseconds
 */
export function useKsefLive(getIds, onChange, pause = 0) {
    const component = useComponent();
    const bus = useService("bus_service");
    let changed = new Set();
    let timer = null;

    const hand = async () => {
        timer = null;
        const ids = new Set(getIds().filter((id) => changed.has(id)));
        changed = new Set();
        if (ids.size && status(component) === "mounted") {
            await onChange(ids);
        }
    };
    const receive = ({ id }) => {
        changed.add(id);
        if (timer === null) {
            timer = browser.setTimeout(hand, pause);
        }
    };

    bus.subscribe(NOTIFICATION, receive);
    useEffect(
        (key) => {
            const ids = key ? key.split(",") : [];
            ids.forEach((id) => listen(bus, id));
            return () => ids.forEach((id) => stopListening(bus, id));
        },
        () => [getIds().join(",")]
    );
    onWillUnmount(() => {
        browser.clearTimeout(timer);
        bus.unsubscribe(NOTIFICATION, receive);
    });
}
