import { registry } from "@web/core/registry";

// The test makes the files and puts them into the page's address, which the web client rewrites as soon as it runs: so they
// are taken when this file is loaded.
const given = new URLSearchParams(window.location.search);

/** Chooses one of the ways and the sandbox, in Polish. */
function beginning(method) {
    return [
        { content: "open the wizard", trigger: ".o_control_panel button:contains('Połącz…')", run: "click" },
        { content: "choose how", trigger: `.modal .o_radio_item:contains('${method}') input`, run: "click" },
        { content: "choose the sandbox", trigger: ".modal .o_radio_item:contains('Symulator') input", run: "click" },
        {
            content: "its address",
            trigger: ".modal div[name=local_url] input",
            run: () => edit(".modal div[name=local_url] input", given.get("sandbox")),
        },
    ];
}

/** With a certificate: a key of another one, a wrong password, then the right ones. */
registry.category("web_tour.tours").add("ksef_connect_certificate_tour", {
    steps: () => [
        ...beginning("Certyfikat KSeF"),
        bring("the certificate", "certificate_file", "firma.crt", "certificate"),
        { content: "whose it is", trigger: ".modal div[name=certificate_owner]:contains('Pieczęć firmy')" },
        { content: "the key is missing", trigger: ".modal .alert-danger div[name=certificate_problem]" },
        bring("the key of another certificate", "key_file", "obcy.key", "other"),
        password("its password", "Zażółć-1"),
        { content: "does not belong together", trigger: ".modal div[name=certificate_problem]:contains('innego certyfikatu')" },
        { content: "try all the same", trigger: ".modal footer button:contains('Połącz')", run: "click" },
        { content: "it is refused", trigger: ".modal:contains('innego certyfikatu') button:contains('Zamknij')", run: "click" },
        { content: "what was kept is named", trigger: ".modal div[name=kept_files]:contains('obcy.key')" },
        { content: "take it back", trigger: ".modal button[name=action_remove_files]", run: "click" },
        { content: "nothing is kept", trigger: ".modal:not(:has(div[name=kept_files])) div[name=certificate_file]" },
        bring("the certificate again", "certificate_file", "firma.crt", "certificate"),
        { content: "it is read", trigger: ".modal div[name=certificate_owner]:contains('Pieczęć firmy')" },
        bring("the right key", "key_file", "firma.key", "key"),
        password("a wrong password", "zapomniane"),
        { content: "says so while typing", trigger: ".modal div[name=certificate_problem]:contains('Hasło nie otwiera klucza')" },
        password("the right one", "Zażółć-1"),
        { content: "nothing is wrong any more", trigger: ".modal:not(:has(.alert-danger)) div[name=certificate_validity]" },
        { content: "connect", trigger: ".modal footer button:contains('Połącz')", run: "click" },
        { content: "the result appears by itself", trigger: ".o_form_view .o_arrow_button_current:contains('Połączone')" },
        { content: "with its rights", trigger: "div[name=permission_names]:contains('wystawianie faktur')" },
    ],
});

/** With a request that is signed elsewhere: until the file can be downloaded. */
registry.category("web_tour.tours").add("ksef_connect_signature_tour", {
    steps: () => [
        ...beginning("Podpis"),
        { content: "connect", trigger: ".modal footer button:contains('Połącz')", run: "click" },
        { content: "the file appears by itself, with its time", trigger: ".o_form_view div[name=signing_valid_until]:contains(':')" },
        { content: "it can be downloaded", trigger: "button[name=action_download_request]:contains('Pobierz plik')" },
    ],
});

/** The same, with the signed file: one that was changed is refused, the good one connects. */
registry.category("web_tour.tours").add("ksef_connect_signed_tour", {
    steps: () => [
        { content: "open the connection", trigger: ".o_data_row td[name=nip]", run: "click" },
        { content: "bring the file back", trigger: "button[name=action_upload_signed]", run: "click" },
        bring("a file that was changed after signing", "signed_file", "zmieniony.xml", "changed"),
        { content: "it was chosen", trigger: ".modal div[name=signed_file] input[type=text]:value(zmieniony)" },
        { content: "send it", trigger: ".modal footer button:contains('Zaloguj')", run: "click" },
        { content: "it is refused before KSeF sees it", trigger: ".modal footer button:contains('Zamknij')", run: "click" },
        bring("the good one", "signed_file", "podpisany.xml", "signed"),
        { content: "it was chosen", trigger: ".modal div[name=signed_file] input[type=text]:value(podpisany)" },
        { content: "send it", trigger: ".modal footer button:contains('Zaloguj')", run: "click" },
        { content: "the result appears by itself", trigger: ".o_form_view .o_arrow_button_current:contains('Połączone')" },
    ],
});

/** A step that chooses a file, whose content the test has given under a name. */
function bring(content, field, filename, what) {
    return {
        content,
        trigger: `.modal div[name=${field}] input[type=file]:not(:visible)`,
        run: () => choose(field, filename, given.get(what)),
    };
}

function password(content, text) {
    const trigger = ".modal div[name=password] input";
    return { content, trigger, run: () => edit(trigger, text) };
}

function edit(selector, text) {
    const input = document.querySelector(selector);
    input.value = text;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    input.dispatchEvent(new Event("change", { bubbles: true }));
}

function choose(field, name, text) {
    const transfer = new DataTransfer();
    transfer.items.add(new File([text], name));
    const input = document.querySelector(`.modal div[name=${field}] input[type=file]`);
    input.files = transfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
}
