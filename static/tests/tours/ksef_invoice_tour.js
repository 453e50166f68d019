import { registry } from "@web/core/registry";

const form = ".o_form_view:has(.o_form_sheet)";
/** Milliseconds: a step that waits for the server may take this long on a slow machine. */
const timeout = 30000;

async function until(condition) {
    while (!condition()) {
        await new Promise((resolve) => setTimeout(resolve, 200));
    }
}

/** From a draft to the queue: confirm, send, read what becomes final, say yes. */
registry.category("web_tour.tours").add("ksef_send_tour", {
    steps: () => [
        {
            content: "a draft can't be sent",
            timeout,
            trigger: `${form}:not(:has(button[name=action_ksef_send])) button[name=action_post]:visible`,
            run: "click",
        },
        {
            content: "a confirmed invoice can",
            timeout,
            trigger: `${form} button[name=action_ksef_send]:contains('Send to KSeF')`,
            run: "click",
        },
        {
            content: "buyer, NIP, totals per rate and the environment stand in the confirmation",
            timeout,
            trigger:
                ".modal .o_form_view:contains('Nabywca S.A.'):contains('PL5261040828'):contains('23%'):contains('8%')" +
                ":contains('Local sandbox')",
        },
        {
            content: "and what becomes final",
            trigger: ".modal .alert-info:contains('cannot be edited')",
        },
        {
            content: "nothing was picked yet: close and look",
            trigger: ".modal footer button:contains('Discard')",
            run: "click",
        },
        {
            content: "the button is still there",
            timeout,
            trigger: `body:not(:has(.modal)) ${form} button[name=action_ksef_send]`,
            run: "click",
        },
        {
            content: "send",
            timeout,
            trigger: ".modal footer button[name=action_confirm]",
            run: "click",
        },
        {
            content: "the form shows that it is on its way, without reloading the page",
            timeout,
            trigger: `body:not(:has(.modal)) ${form} div[name=ksef_state] [data-letter=W]`,
        },
        {
            content: "it can't be sent a second time or reset, only withdrawn",
            trigger: `${form}:not(:has(button[name=action_ksef_send])):not(:has(button[name=button_draft])) button[name=action_ksef_withdraw]`,
        },
        {
            content: "the next step is said",
            trigger: `${form} .alert-info:contains('waits to be sent')`,
        },
    ],
});

/** The number comes to the open form by itself: the worker runs while the form is open, and the page isn't loaded again. */
registry.category("web_tour.tours").add("ksef_live_tour", {
    steps: () => [
        {
            content: "remember this page",
            timeout,
            trigger: `${form} button[name=action_ksef_send]`,
            run: () => {
                window.ksefSamePage = true;
            },
        },
        {
            content: "send",
            trigger: `${form} button[name=action_ksef_send]`,
            run: "click",
        },
        {
            content: "confirm",
            timeout,
            trigger: ".modal footer button[name=action_confirm]",
            run: "click",
        },
        {
            content: "the number appears",
            timeout: 60000,
            trigger: `body:not(:has(.modal)) ${form} div[name=ksef_state]:has([data-letter=A]) div[name=ksef_number]:contains('5795955811-')`,
            run: () => {
                if (!window.ksefSamePage) {
                    throw new Error("the page was loaded again");
                }
            },
        },
        {
            content: "and the chatter has it too",
            timeout,
            trigger: ".o-mail-Thread:contains('5795955811-')",
        },
    ],
});

/** Unsaved work is not touched: the form only says that there is news. */
registry.category("web_tour.tours").add("ksef_live_dirty_tour", {
    steps: () => [
        {
            content: "somebody is writing",
            timeout,
            trigger: `${form} .o_notebook .nav-link:contains('Other Info')`,
            run: "click",
        },
        {
            content: "a reference that is not saved yet",
            trigger: "div[name=ref] input",
            run: "edit Zamówienie 7",
        },
        {
            content: "the test has KSeF answer now",
            trigger: "body",
            run: async () => {
                const move = Number(window.location.pathname.split("/").pop());
                await odoo.__WOWL_DEBUG__.root.env.services.orm.call("account.move", "message_post", [[move]], {
                    body: "KSeF may answer",
                });
            },
        },
        {
            content: "it is said",
            timeout: 60000,
            trigger: ".o_notification:contains('KSeF has answered about this invoice')",
        },
        {
            content: "what was written is still there",
            trigger: "div[name=ref] input:value(Zamówienie 7)",
        },
        {
            content: "saving shows the news",
            trigger: ".o_form_button_save",
            run: "click",
        },
        {
            content: "accepted",
            timeout,
            trigger: `${form} div[name=ksef_state] [data-letter=A]`,
        },
    ],
});

/** What the form shows once KSeF has accepted the invoice. */
registry.category("web_tour.tours").add("ksef_accepted_tour", {
    steps: () => [
        {
            content: "accepted",
            timeout,
            trigger: `${form} div[name=ksef_state] [data-letter=A]`,
        },
        {
            content: "the number can be copied",
            trigger: `${form} div[name=ksef_state] div[name=ksef_number]:has(.o_clipboard_button):contains('5795955811-')`,
        },
        {
            content: "the page of KSeF",
            trigger: ".o_notebook .nav-link:contains('KSeF')",
            run: "click",
        },
        {
            content: "XML and UPO are there under their names",
            timeout,
            trigger:
                "div[name=ksef_document_ids] .o_data_row:contains('Accepted'):has(td[name=xml] a):has(td[name=upo] a:contains('UPO_'))",
        },
        {
            content: "the verification link and the reference number, apart from the KSeF number",
            trigger:
                ".o_notebook:has(div[name=ksef_reference_number]) div[name=ksef_verification_url] a[href*='/invoice/5795955811/']",
        },
        {
            content: "no way back to draft",
            trigger: `${form}:not(:has(button[name=button_draft])):not(:has(button[name=action_ksef_withdraw]))`,
        },
        {
            content: "print",
            trigger: `${form} button[name=action_print_pdf]`,
            run: "click",
        },
        {
            content: "the printed invoice arrives",
            timeout: 60000,
            trigger: "body",
            run: () => until(() => performance.getEntriesByType("resource").some(({ name }) => name.includes("/report/download"))),
        },
    ],
});

/** Where no chosen company is connected, neither list nor form speaks of KSeF. */
registry.category("web_tour.tours").add("ksef_not_connected_tour", {
    steps: () => [
        {
            content: "no button without a selection",
            timeout,
            trigger: ".o_list_view:not(:has(.o_control_panel button[name=action_ksef_refresh_status])) .o_data_row",
        },
        {
            content: "select",
            trigger: ".o_list_view .o_data_row .o_list_record_selector input",
            run: "click",
        },
        {
            content: "Odoo's button is there, ours is not",
            trigger: ".o_control_panel:has(button[name=action_send_and_print]):not(:has(button[name=action_ksef_send]))",
        },
        {
            content: "the menu of actions",
            trigger: ".o_control_panel .o_cp_action_menus button:has(.fa-cog)",
            run: "click",
        },
        {
            content: "has nothing of ours",
            trigger: ".o-dropdown--menu:has(.o_menu_item):not(:contains('KSeF'))",
        },
        {
            content: "neither do the columns; unselect",
            trigger: ".o_list_view:not(:has(th[data-name^=ksef_])) .o_data_row.o_data_row_selected td[name=name]",
            run: "click",
        },
        {
            content: "the form",
            trigger: ".o_list_view .o_data_row:not(.o_data_row_selected) td[name=name]",
            run: "click",
        },
        {
            content: "without button and page",
            timeout,
            trigger: `${form}:has(button[name=action_print_pdf]):not(:has(button[name=action_ksef_send])) .o_notebook:not(:contains('KSeF'))`,
        },
    ],
});

/** The list: filter, select, send, and see the letters. */
registry.category("web_tour.tours").add("ksef_list_tour", {
    steps: () => [
        {
            content: "always there: asks about everything that is open",
            timeout,
            trigger: ".o_control_panel button[name=action_ksef_refresh_status]",
        },
        {
            content: "select all",
            timeout,
            trigger: ".o_list_view thead .o_list_record_selector input",
            run: "click",
        },
        {
            content: "send the selection",
            trigger: ".o_control_panel button[name=action_ksef_send]",
            run: "click",
        },
        {
            content: "two invoices and their sum; the accepted one is left out",
            timeout,
            trigger: ".modal .o_form_view:contains('492.00'):contains('Left out of the selection'):contains('only once')",
        },
        {
            content: "send",
            timeout,
            trigger: ".modal footer button[name=action_confirm]",
            run: "click",
        },
        {
            content: "said in one sentence",
            timeout,
            trigger: ".o_notification:contains('2 invoices are on their way to KSeF')",
        },
        {
            content: "letters in the list",
            timeout,
            trigger: ".o_list_view:has(td[name=ksef_letter] [data-letter=W]) td[name=ksef_letter] [data-letter=A]",
            run: () => {
                window.ksefSamePage = true;
            },
        },
        {
            content: "the list follows by itself",
            timeout: 60000,
            trigger: ".o_list_view:not(:has(td[name=ksef_letter] [data-letter=W])):not(:has(td[name=ksef_letter] [data-letter=O])) td[name=ksef_letter] [data-letter=A]",
            run: () => {
                if (!window.ksefSamePage) {
                    throw new Error("the page was loaded again");
                }
            },
        },
    ],
});
