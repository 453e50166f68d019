import { registry } from "@web/core/registry";

const form = ".o_form_view:has(.o_form_sheet)";
/** Milliseconds: a step that waits for the server may take this long on a slow machine. */
const timeout = 30000;

/** Open the preview of a draft and of a confirmed invoice, look at page and XML, close: nothing has become of the invoice. */
registry.category("web_tour.tours").add("ksef_preview_tour", {
    steps: () => [
        {
            content: "a draft has a preview too",
            timeout,
            trigger: `${form}:has(button[name=action_post]:visible) button[name=action_ksef_preview]:visible`,
            run: "click",
        },
        {
            content: "which says that it is a draft",
            timeout,
            trigger: ".modal:has(div[name=status].o_field_badge) iframe.o_ksef_page[srcdoc*='nie są ostateczne']",
        },
        {
            content: "close it",
            trigger: ".modal footer button.btn-primary:visible",
            run: "click",
        },
        {
            content: "confirm the invoice",
            timeout,
            trigger: `body:not(:has(.modal)) ${form} button[name=action_post]:visible`,
            run: "click",
        },
        {
            content: "look at it again",
            timeout,
            trigger: `${form}:has(button[name=action_ksef_send]) button[name=action_ksef_preview]:visible`,
            run: "click",
        },
        {
            content: "what a buyer wrote is text, in a frame that may do nothing",
            timeout,
            trigger: ".modal iframe.o_ksef_page[sandbox=''][srcdoc*='&lt;script&gt;'][srcdoc*='Roślina']",
            run: () => {
                if (window.ksefHacked) {
                    throw new Error("a script of the invoice has run");
                }
            },
        },
        {
            content: "the XML stands behind a tab",
            trigger: ".modal .o_notebook .nav-link[name=xml]",
            run: "click",
        },
        {
            content: "with line breaks, to be copied or downloaded",
            timeout,
            trigger:
                ".modal:has(.o_clipboard_button):has(button[name=action_download_xml]) .o_ksef_xml:contains('<P_7>Roślina</P_7>')",
        },
        {
            content: "close",
            trigger: ".modal footer button.btn-primary:visible",
            run: "click",
        },
        {
            content: "from the confirmation there and back",
            timeout,
            trigger: `body:not(:has(.modal)) ${form} button[name=action_ksef_send]`,
            run: "click",
        },
        {
            content: "look once more before it becomes final",
            timeout,
            trigger: ".modal footer button[name=action_preview]",
            run: "click",
        },
        {
            content: "the same page",
            timeout,
            trigger: ".modal:has(iframe.o_ksef_page[srcdoc*='Roślina']) footer button[name=action_back]",
            run: "click",
        },
        {
            content: "back at the confirmation",
            timeout,
            trigger: ".modal footer button[name=action_confirm]",
        },
        {
            content: "and away",
            trigger: ".modal .btn-close",
            run: "click",
        },
        {
            content: "the invoice can still be sent: looking did nothing",
            timeout,
            trigger: `body:not(:has(.modal)) ${form} button[name=action_ksef_send]`,
        },
    ],
});
