import { Component, onWillStart, onWillUnmount, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { Layout } from "@web/search/layout";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

/** Milliseconds after which the figures are read again, while the page is looked at. */
const PAUSE = 60000;
/** Height of the chart in its own units. */
const HEIGHT = 100;

const ICONS = { danger: "fa-exclamation-circle", warning: "fa-exclamation-triangle", info: "fa-inbox" };

/** KSeF → Overview. The server counts; every figure opens the list that it counts. */
export class KsefOverview extends Component {
    static template = "l10n_pl_ksef.Overview";
    static components = { Layout };
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.notification = useService("notification");
        this.state = useState({ data: null });
        this.display = { controlPanel: {} };
        this.icons = ICONS;
        onWillStart(() => this.load());
        const timer = setInterval(() => document.visibilityState === "visible" && this.load(), PAUSE);
        onWillUnmount(() => clearInterval(timer));
    }

    async load() {
        this.state.data = await this.orm.silent.call("ksef.overview", "get_ksef_overview", [[]]);
    }

    get tiles() {
        const { totals } = this.state.data;
        const tile = (figure, title, period, hint, tone) => {
            const periods = totals.figures[figure];
            return { figure, title, period, hint, tone: periods[period].count ? tone : "muted", ...periods[period], today: periods.today.count };
        };
        return [
            tile("accepted", _t("Accepted this month"), "month", _t("by KSeF, tax included"), "success"),
            tile("way", _t("On their way"), "now", _t("prepared, queued or at KSeF"), "info"),
            tile("correct", _t("To be corrected"), "now", _t("rejected, or stopped by a check"), "danger"),
            tile("unclear", _t("Not certain"), "now", _t("the program is finding out"), "warning"),
        ];
    }

    get columns() {
        return [
            { figure: "accepted", period: "today", label: _t("Accepted today") },
            { figure: "accepted", period: "month", label: _t("Accepted this month"), amount: true },
            { figure: "way", period: "now", label: _t("On their way") },
            { figure: "correct", period: "now", label: _t("To be corrected"), tone: "text-danger" },
            { figure: "unclear", period: "now", label: _t("Not certain"), tone: "text-warning" },
        ];
    }

    /** The bars of the chart: a column for each day, its parts one upon the other. */
    get bars() {
        const days = this.state.data.chart;
        const most = Math.max(1, ...days.map((day) => day.accepted + day.correct + day.other));
        return days.map((day, index) => {
            let top = HEIGHT;
            const parts = ["accepted", "correct", "other"].map((name) => {
                const height = (day[name] / most) * HEIGHT;
                top -= height;
                return { name, y: top, height };
            });
            const title = _t("%(day)s: accepted %(accepted)s, to be corrected %(correct)s, others %(other)s", {
                day: day.label, accepted: day.accepted, correct: day.correct, other: day.other,
            });
            return { ...day, x: index * 10, parts: parts.filter((part) => part.height), title };
        });
    }

    get hasChart() {
        return this.state.data.chart.some((day) => day.accepted || day.correct || day.other);
    }

    async open(figure, period = "now", companyId = false) {
        const action = await this.orm.call("ksef.overview", "open_ksef_figure", [[], figure, period, companyId]);
        await this.action.doAction(action);
    }

    openConnection(id) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: "ksef.connection",
            res_id: id,
            views: [[false, "form"]],
        });
    }

    openTodo(row) {
        if (row.connection_id) {
            return this.openConnection(row.connection_id);
        }
        // What is only said, such as the state of a parent company's connection, opens nothing.
        return row.figure && this.open(row.figure);
    }

    openConnections() {
        return this.action.doAction("l10n_pl_ksef.action_ksef_connection");
    }

    openArchive() {
        return this.action.doAction("l10n_pl_ksef.action_ksef_archive");
    }

    async refreshStatuses() {
        const count = await this.orm.call("ksef.overview", "action_ksef_refresh_open", [[]]);
        this.notification.add(
            count
                ? _t("KSeF is being asked about the open invoices: %s. The figures change by themselves.", count)
                : _t("Nothing is open: KSeF has answered about every invoice."),
            { type: "info" }
        );
        await this.load();
    }
}

registry.category("actions").add("ksef_overview", KsefOverview);
