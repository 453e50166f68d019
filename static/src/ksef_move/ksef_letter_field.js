import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

const COLOURS = { W: "text-bg-info", O: "text-bg-primary", A: "text-bg-success" };

/** The letter of the state in KSeF (W, O, A) as a badge; what it means stands in its tooltip. */
export class KsefLetterField extends Component {
    static template = "l10n_pl_ksef.KsefLetterField";
    static props = { ...standardFieldProps };

    get letter() {
        return this.props.record.data[this.props.name];
    }

    get meaning() {
        const options = this.props.record.fields[this.props.name].selection;
        return options.find(([value]) => value === this.letter)?.[1] || "";
    }

    get colour() {
        return COLOURS[this.letter] || "text-bg-secondary";
    }
}

export const ksefLetterField = {
    component: KsefLetterField,
    displayName: _t("KSeF letter"),
    supportedTypes: ["selection"],
};

registry.category("fields").add("ksef_letter", ksefLetterField);
