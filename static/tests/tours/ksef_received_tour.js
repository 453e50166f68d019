import { registry } from "@web/core/registry";

/** Milliseconds: a step that waits for the server may take this long on a slow machine. */
const timeout = 30000;
const list = ".o_list_view";
const invoice = ".o_form_view:has(div[name=ksef_number])";
const bill = ".o_form_view:has(div[name=invoice_line_ids])";
const row = "div[name=invoice_line_ids] .o_data_row";

/** Ask for the purchases of the last days; the workers do it when the tour is over. */
registry.category("web_tour.tours").add("ksef_fetch_tour", {
    steps: () => [
        { content: "nothing is here yet", timeout, trigger: ".o_nocontent_help" },
        { content: "fetch", timeout, trigger: "button[name=action_fetch_now]", run: "click" },
        {
            content: "purchases, and how many calls are left",
            timeout,
            trigger: ".modal:has(div[name=role] input[data-value=buyer]:checked) div[name=calls_left]:contains('/')",
        },
        { content: "go", trigger: ".modal footer button[name=action_fetch]", run: "click" },
        { content: "it stands in the list", timeout, trigger: `body:not(:has(.modal)) ${list} .o_data_row div[name=state]` },
    ],
});

/** Look at an invoice, book it, say what its line is; the next one of the supplier is recognised. */
registry.category("web_tour.tours").add("ksef_bill_tour", {
    steps: () => [
        { content: "the older one", timeout, trigger: `${list} .o_data_row:last td[name=invoice_number]`, run: "click" },
        {
            content: "it is shown as its seller made it",
            timeout,
            trigger: `${invoice} iframe.o_ksef_page[srcdoc*='Usługi doradcze'][srcdoc*='data:image/png']`,
        },
        { content: "make the bill", trigger: `${invoice} button[name=action_make_bill]`, run: "click" },
        {
            content: "bills hide the product at first: have the column shown",
            timeout,
            trigger: `${bill} div[name=invoice_line_ids] .o_optional_columns_dropdown button`,
            run: "click",
        },
        { content: "this one", trigger: ".o-dropdown--menu input[name=product_id]", run: "click" },
        { content: "say what the line is", timeout, trigger: `${bill} ${row} td[name=product_id]`, run: "click" },
        { content: "by its name", timeout, trigger: `${row}.o_selected_row td[name=product_id] input`, run: "edit Abonament" },
        { content: "choose it", timeout, trigger: ".o-autocomplete--dropdown-item:contains('Abonament doradczy')", run: "click" },
        { content: "confirm the bill", trigger: `${bill}:has(.o_form_dirty, .o_form_editable) button[name=action_post]:visible`, run: "click" },
        { content: "it is confirmed", timeout, trigger: `${bill} .o_arrow_button_current[data-value=posted]` },
        { content: "back to the invoice", trigger: ".breadcrumb-item.o_back_button a, .o_back_button", run: "click" },
        { content: "it has its bill", timeout, trigger: `${invoice} .o_arrow_button_current[data-value=imported]` },
        { content: "back to the list", trigger: ".breadcrumb-item.o_back_button a, .o_back_button", run: "click" },
        { content: "the next month's", timeout, trigger: `${list} .o_data_row:first td[name=invoice_number]`, run: "click" },
        { content: "make its bill", timeout, trigger: `${invoice} button[name=action_make_bill]:visible`, run: "click" },
        { content: "its line was recognised", timeout, trigger: `${bill} ${row} td[name=product_id]:contains('Abonament doradczy')` },
    ],
});
