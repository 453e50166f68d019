import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/**
 * A whole HTML document in a frame of its own. It was made from somebody's texts, so the frame may do nothing at all: the
 * empty sandbox runs no scripts, submits no forms, opens no windows, and is of another origin than Odoo.
 */
export class KsefPageField extends Component {
    static template = "l10n_pl_ksef.KsefPageField";
    static props = { ...standardFieldProps };

    get page() {
        return this.props.record.data[this.props.name] || "";
    }
}

export const ksefPageField = {
    component: KsefPageField,
    displayName: _t("Invoice as a page"),
    supportedTypes: ["text"],
};

registry.category("fields").add("ksef_page", ksefPageField);
