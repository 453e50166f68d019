import { registry } from "@web/core/registry";

// The test makes the sandbox's address and the token and puts them into the page's address, which the web client rewrites
// as soon as it runs: so they are taken when this file is loaded.
const given = new URLSearchParams(window.location.search);
const [url, token] = [given.get("sandbox"), given.get("token")];

/** Connects a company with a token. */
registry.category("web_tour.tours").add("ksef_connect_tour", {
    steps: () => [
        {
            content: "open the wizard",
            trigger: ".o_control_panel button:contains('Connect…')",
            run: "click",
        },
        {
            content: "production says what it means",
            trigger: ".modal .alert-warning:contains('Invoices sent to production have legal effect.')",
        },
        {
            content: "the NIP is the company's",
            trigger: ".modal div[name=nip]:contains('5795955811')",
        },
        {
            content: "a certificate is proposed",
            trigger: ".modal .o_radio_item:contains('KSeF certificate') input:checked",
        },
        {
            content: "choose the token",
            trigger: ".modal .o_radio_item:contains('KSeF token') input",
            run: "click",
        },
        {
            content: "choose the sandbox",
            trigger: ".modal .o_radio_item:contains('Local sandbox') input",
            run: "click",
        },
        {
            content: "its address",
            trigger: ".modal div[name=local_url] input",
            run: () => edit(".modal div[name=local_url] input", url),
        },
        {
            content: "a token that is only its beginning",
            trigger: ".modal div[name=token] input[type=password]",
            run: () => edit(".modal div[name=token] input", token.split("|")[0]),
        },
        {
            content: "is recognised while typing",
            trigger: ".modal .alert-danger:contains('reference number of a token')",
        },
        {
            content: "the whole token",
            trigger: ".modal div[name=token] input",
            run: () => edit(".modal div[name=token] input", token),
        },
        {
            content: "nothing is wrong with it",
            trigger: ".modal:not(:has(.alert-danger))",
        },
        {
            content: "connect",
            trigger: ".modal footer button:contains('Connect')",
            run: "click",
        },
        {
            content: "being verified is no error",
            trigger: ".o_form_view .alert-info:contains('This is not an error')",
        },
        {
            content: "the result appears by itself",
            trigger: ".o_form_view .o_arrow_button_current:contains('Connected')",
        },
        {
            content: "with the rights of the token",
            trigger: "div[name=permission_names]:contains('wystawianie faktur')",
        },
        {
            content: "the credentials",
            trigger: ".o_notebook a.nav-link[name=credentials]",
            run: "click",
        },
        {
            content: "the credential is listed without its secret",
            trigger: "div[name=credential_ids] td:contains('20')",
            run() {
                if (document.body.innerHTML.includes(token.split("|")[2])) {
                    throw new Error("the secret of the token stands on the page");
                }
            },
        },
    ],
});

function edit(selector, text) {
    const input = document.querySelector(selector);
    input.value = text;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    input.dispatchEvent(new Event("change", { bubbles: true }));
}
