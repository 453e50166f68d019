"use strict";

const find = (selector) => document.querySelector(selector);
const ROLES = {Subject1: "seller", Subject2: "buyer", Subject3: "third party", SubjectAuthorized: "authorised"};
const FAULTS = [
    ["Answer 2 s late", {action: "delay", seconds: 2, times: 1}],
    ["Next send: accepted, never answered", {action: "drop_after", operation: "POST /sessions/online/{ref}/invoices"}],
    ["Next send: connection refused", {action: "drop_before", operation: "POST /sessions/online/{ref}/invoices"}],
    ["Next call: 503 as HTML", {action: "http_error", status: 503}],
    ["Next call: 429, wait 10 s", {action: "http_error", status: 429, body: "problem", retryAfter: 10}],
    ["Next invoice stays at 150", {action: "stuck"}],
    ["Next invoice: rejected (450)", {action: "invoice_status", code: 450, details: ["Rejected by the switch."]}],
    ["Next invoice: cancelled by the system (550)", {action: "invoice_status", code: 550}],
];
let chosen = null;

/** Call the administration; shows a refusal to the user and throws. */
async function call(method, path, body) {
    const answer = await fetch(`/admin${path}`, {
        method,
        headers: body ? {"Content-Type": "application/json"} : {},
        body: body ? JSON.stringify(body) : undefined,
    });
    const data = await answer.json();
    if (!answer.ok) {
        complain(data.detail || `Error ${answer.status}`);
        throw new Error(data.detail);
    }
    return data;
}

function complain(text) {
    const message = find("#message");
    message.textContent = text;
    message.hidden = !text;
    if (text) {
        setTimeout(() => complain(""), 6000);
    }
}

/** An element with text, attributes and a click handler. */
function element(name, text, {click, ...attributes} = {}) {
    const node = document.createElement(name);
    node.textContent = text ?? "";
    for (const [key, value] of Object.entries(attributes)) {
        node.setAttribute(key, value);
    }
    if (click) {
        node.addEventListener("click", click);
    }
    return node;
}

function row(...cells) {
    const line = document.createElement("tr");
    for (const cell of cells) {
        const box = document.createElement("td");
        if (cell instanceof Node) {
            box.append(cell);
        } else {
            box.textContent = cell ?? "";
        }
        line.append(box);
    }
    return line;
}

async function showHealth() {
    const health = await call("GET", "/health");
    find("#api").textContent = health.api;
    find("#environment").textContent = health.environment;
    find("#counts").textContent = `${health.invoices} invoices received, ${health.pending} in work`;
}

async function showCompanies() {
    const companies = await call("GET", "/companies");
    find("#companies").replaceChildren(...companies.map((company) => {
        const item = document.createElement("li");
        const label = `${company.nip} ${company.name} (${company.issued} issued, ${company.received} received)`;
        item.append(element("button", label, {
            "aria-current": String(company.nip === chosen), "data-nip": company.nip, click: () => choose(company),
        }));
        return item;
    }));
}

function choose(company) {
    chosen = company.nip;
    find("#company").hidden = false;
    find("#secret").hidden = true;
    find("#company-title").textContent = `${company.nip} ${company.name}`;
    return refresh();
}

async function showInvoices() {
    if (!chosen) {
        return;
    }
    const nip = chosen;
    const invoices = await call("GET", `/companies/${nip}/invoices`);
    if (nip !== chosen) {
        return;
    }
    find("#invoices tbody").replaceChildren(...invoices.map((invoice) => {
        const links = document.createElement("span");
        links.append(element("a", "view", {href: `/admin/invoices/${invoice.mark}/view`, target: "_blank"}), " ",
            element("a", "XML", {href: `/admin/invoices/${invoice.mark}/xml`, target: "_blank"}));
        const status = element("span", invoice.status, {
            class: invoice.status === 200 ? "status-200" : invoice.status >= 400 ? "status-bad" : "",
            title: (invoice.details || []).join("\n"),
        });
        const gross = invoice.gross === null ? "" : `${invoice.gross.toFixed(2)} ${invoice.currency}`;
        return row(ROLES[invoice.role], invoice.invoiceNumber, invoice.ksefNumber, invoice.issueDate, invoice.seller,
            invoice.buyer, gross, [invoice.type, invoice.mode === "Offline" ? "offline" : ""].filter(Boolean).join(", "),
            status, links);
    }));
}

async function showFaults() {
    const faults = await call("GET", "/faults");
    find("#fault-list tbody").replaceChildren(...faults.map((fault) => row(
        fault.action, fault.operation || "*", fault.left < 0 ? "always" : fault.left, fault.hits,
        element("button", "off", {click: () => call("DELETE", `/faults/${fault.id}`).then(showFaults)}))));
}

async function showRequests() {
    const requests = await call("GET", "/requests?limit=40");
    find("#requests tbody").replaceChildren(...requests.reverse().map((request) => row(
        new Date(request.at * 1000).toLocaleTimeString(), request.method, request.path,
        element("span", request.status || "dropped", {class: request.status && request.status < 400 ? "" : "status-bad"}),
        request.ms.toFixed(0))));
}

async function refresh() {
    await Promise.all([showHealth(), showCompanies(), showInvoices(), showFaults(), showRequests()]);
}

function reveal(note, text) {
    find("#secret").hidden = false;
    find("#secret-note").textContent = note;
    find("#secret-text").value = text;
}

async function start() {
    find("#add-company").addEventListener("submit", async (event) => {
        event.preventDefault();
        const form = new FormData(event.target);
        const company = {nip: form.get("nip"), name: form.get("name")};
        await call("POST", "/companies", company);
        event.target.reset();
        await choose(company);
    });
    find("#new-token").addEventListener("click", async () => {
        const made = await call("POST", "/tokens", {nip: chosen, permissions: ["InvoiceRead", "InvoiceWrite"]});
        reveal("A KSeF token for this company. It is shown once.", made.token);
        await refresh();
    });
    find("#new-certificate").addEventListener("click", async () => {
        const made = await call("POST", "/certificates", {nip: chosen});
        reveal("A seal for this company: certificate and private key (PEM).", made.certificate + made.privateKey);
    });
    find("#copy").addEventListener("click", () => navigator.clipboard.writeText(find("#secret-text").value));
    find("#add-fault").addEventListener("submit", async (event) => {
        event.preventDefault();
        try {
            await switchOn(JSON.parse(new FormData(event.target).get("definition")));
        } catch (error) {
            complain(error.message);
        }
    });
    find("#clear-faults").addEventListener("click", () => call("DELETE", "/faults").then(showFaults));
    find("#fault-buttons").append(...FAULTS.map(([label, fault]) => element("button", label, {
        click: () => switchOn(fault),
    })));
    const samples = await call("GET", "/samples");
    find("#samples").append(...Object.entries(samples).map(([name, label]) => element("button", label, {
        "data-sample": name, click: () => call("POST", `/companies/${chosen}/issue`, {sample: name}).then(refresh),
    })));
    await refresh();
    setInterval(() => refresh().catch(() => complain("The sandbox does not answer.")), 2000);
}

async function switchOn(fault) {
    await call("POST", "/faults", fault);
    await showFaults();
}

start();
