import { Component, onWillUnmount, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

const { DateTime } = luxon;

/** The minutes and seconds until a moment; reloads the form when it has come, to show what follows. */
export class CountdownField extends Component {
    static template = "l10n_pl_ksef.CountdownField";
    static props = { ...standardFieldProps };

    setup() {
        this.state = useState({ seconds: this.secondsLeft });
        this.timer = setInterval(() => this.tick(), 1000);
        onWillUnmount(() => clearInterval(this.timer));
    }

    get secondsLeft() {
        const end = this.props.record.data[this.props.name];
        return end ? Math.max(0, Math.ceil(end.diff(DateTime.now(), "seconds").seconds)) : 0;
    }

    get text() {
        const { seconds } = this.state;
        return seconds
            ? `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`
            : _t("the time is over");
    }

    tick() {
        const before = this.state.seconds;
        this.state.seconds = this.secondsLeft;
        if (before && !this.state.seconds && !this.env.inDialog) {
            clearInterval(this.timer);
            this.props.record.load();
        }
    }
}

registry.category("fields").add("ksef_countdown", {
    component: CountdownField,
    displayName: _t("Countdown"),
    supportedTypes: ["datetime"],
});
