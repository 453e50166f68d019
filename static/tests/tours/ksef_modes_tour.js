import { registry } from "@web/core/registry";

const form = ".o_form_view:has(.o_form_sheet)";
/** Milliseconds: a step that waits for the server may take this long on a slow machine. */
const timeout = 30000;

async function until(condition) {
    while (!condition()) {
        await new Promise((resolve) => setTimeout(resolve, 200));
    }
}

/** Open an action as its menu does. */
function open(action) {
    return () => odoo.__WOWL_DEBUG__.root.env.services.action.doAction(action);
}

const confirmInvoice = {
    content: "confirm the invoice",
    timeout,
    trigger: `${form} button[name=action_post]:visible`,
    run: "click",
};
const number = {
    content: "the number appears by itself",
    timeout: 60000,
    trigger: `body:not(:has(.modal)) ${form} div[name=ksef_state]:has([data-letter=A]) div[name=ksef_number]:contains('5795955811-')`,
};

/** Hybrid: what is confirmed goes nowhere; the daily list names it, and from there it is picked. */
registry.category("web_tour.tours").add("ksef_hybrid_tour", {
    steps: () => [
        confirmInvoice,
        {
            content: "nobody has picked it; remember it",
            timeout,
            trigger: `${form}:not(:has([data-letter])) button[name=action_ksef_send]`,
            run: () => {
                window.ksefMove = Number(window.location.pathname.split("/").pop());
            },
        },
        {
            content: "KSeF → Not in KSeF",
            trigger: "body",
            run: open("l10n_pl_ksef.action_ksef_missing"),
        },
        {
            content: "the list of what KSeF has not got; choose this one",
            timeout,
            trigger: ".o_list_view:has(.o_data_row:contains('Drugi Nabywca')) .o_data_row:contains('Nabywca S.A.') .o_list_record_selector input",
            run: "click",
        },
        {
            content: "send it",
            trigger: ".o_control_panel button[name=action_ksef_send]",
            run: "click",
        },
        {
            content: "yes",
            timeout,
            trigger: ".modal footer button[name=action_confirm]",
            run: "click",
        },
        {
            content: "it has left the list, the other one is still there",
            timeout,
            trigger: "body:not(:has(.modal)) .o_list_view:not(:contains('Nabywca S.A.')) .o_data_row:contains('Drugi Nabywca')",
            run: () =>
                open({
                    type: "ir.actions.act_window",
                    res_model: "account.move",
                    res_id: window.ksefMove,
                    views: [[false, "form"]],
                })(),
        },
        number,
    ],
});

/** Automatic: the dialog says what changes; a confirmed invoice goes by itself, and its e-mail waits for the number. */
registry.category("web_tour.tours").add("ksef_automatic_tour", {
    steps: () => [
        {
            content: "on a draft: KSeF → Mode of sending",
            timeout,
            trigger: `${form} button[name=action_post]:visible`,
            run: open("l10n_pl_ksef.action_ksef_mode_change"),
        },
        {
            content: "choose automatic",
            timeout,
            trigger: ".modal div[name=mode] .o_radio_item:contains('Automatic') input",
            run: "click",
        },
        {
            content: "what changes, and what stays",
            timeout,
            trigger: ".modal .alert-info:contains('picked for KSeF when they are confirmed'):contains('keep their numbers')",
        },
        {
            content: "apply",
            trigger: ".modal footer button[name=action_apply]",
            run: "click",
        },
        { ...confirmInvoice, trigger: `body:not(:has(.modal)) ${confirmInvoice.trigger}` },
        {
            content: "it is on its way at once",
            timeout,
            trigger: `${form}:not(:has(button[name=action_ksef_send])) div[name=ksef_state] [data-letter=W]`,
        },
        {
            content: "have it mailed",
            trigger: `${form} button[name=action_invoice_sent]:visible`,
            run: "click",
        },
        {
            content: "the e-mail waits for the number; send",
            timeout,
            trigger: ".modal:has(.alert:contains('waits for the KSeF number')) footer button[name=action_send_and_print]",
            run: "click",
        },
        number,
        {
            content: "and the e-mail has gone with it",
            timeout: 60000,
            trigger: ".o-mail-Thread .o-mail-Message:contains('5795955811-')",
        },
    ],
});

/** KSeF is down: the invoice is issued offline, printed and closed; its number comes when KSeF is back. */
registry.category("web_tour.tours").add("ksef_offline_tour", {
    steps: () => [
        confirmInvoice,
        {
            content: "send",
            timeout,
            trigger: `${form} button[name=action_ksef_send]`,
            run: "click",
        },
        {
            content: "yes",
            timeout,
            trigger: ".modal footer button[name=action_confirm]",
            run: "click",
        },
        {
            content: "KSeF is out of reach: the way out is proposed",
            timeout,
            trigger: `body:not(:has(.modal)) ${form} .alert:contains('KSeF cannot be reached') a:contains('Issue offline')`,
            run: "click",
        },
        {
            content: "until when it must be in KSeF, and that it is final",
            timeout,
            trigger: ".modal .alert-info:contains('must be in KSeF by'):contains('is final')",
        },
        {
            content: "issue it",
            trigger: ".modal footer button[name=action_issue]:visible",
            run: "click",
        },
        {
            content: "the print arrives",
            timeout: 60000,
            trigger: "body",
            run: () => until(() => performance.getEntriesByType("resource").some(({ name }) => name.includes("/report/download"))),
        },
        {
            content: "closed: neither withdrawn nor reset",
            timeout,
            trigger:
                `body:not(:has(.modal)) ${form}:not(:has(button[name=action_ksef_withdraw])):not(:has(button[name=button_draft])) ` +
                "div[name=ksef_state] div[name=ksef_mode]:contains('Offline24')",
        },
        number,
    ],
});
