import { Component, onMounted, onWillUnmount, status } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { browser } from "@web/core/browser/browser";
import { ConnectionLostError } from "@web/core/network/rpc";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

// Milliseconds between questions: quick at first, because most verifications take seconds.
const QUICK = 1000;
const SLOW = 5000;
const QUICK_QUESTIONS = 60;

/**
 * Reloads the form by itself for as long as a field has a certain value, so that the result of work in the background
 * appears without a click: <widget name="ksef_reload_while" field="state" value="verifying"/>.
 * It shows nothing, asks for that one field only, and leaves a form alone while it has unsaved changes.
 */
export class ReloadWhile extends Component {
    static template = "l10n_pl_ksef.ReloadWhile";
    static props = { ...standardWidgetProps, field: String, value: String };

    setup() {
        this.orm = useService("orm");
        this.questions = 0;
        onMounted(() => this.wait());
        onWillUnmount(() => browser.clearTimeout(this.timer));
    }

    wait() {
        const pause = this.questions < QUICK_QUESTIONS ? QUICK : SLOW;
        this.timer = browser.setTimeout(() => this.ask(), pause);
    }

    async ask() {
        this.questions += 1;
        if (this.isDue() && (await this.hasChanged()) && this.isDue()) {
            await this.props.record.load();
        }
        if (status(this) !== "destroyed") {
            this.wait();
        }
    }

    isDue() {
        const { record, field, value } = this.props;
        return status(this) !== "destroyed" && record.resId && !record.dirty && String(record.data[field]) === value;
    }

    async hasChanged() {
        const { record, field, value } = this.props;
        try {
            const [values] = await this.orm.silent.read(record.resModel, [record.resId], [field]);
            return Boolean(values) && String(values[field]) !== value;
        } catch (error) {
            if (error instanceof ConnectionLostError) {
                return false;
            }
            throw error;
        }
    }
}

export const reloadWhile = {
    component: ReloadWhile,
    extractProps: ({ attrs }) => ({ field: attrs.field, value: attrs.value }),
    supportedAttributes: [
        { label: _t("Field"), name: "field", type: "string" },
        { label: _t("Value"), name: "value", type: "string" },
    ],
};

registry.category("view_widgets").add("ksef_reload_while", reloadWhile);
