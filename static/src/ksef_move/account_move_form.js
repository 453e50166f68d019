import { AccountMoveFormController } from "@account/components/account_move_form/account_move_form";
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";
import { patch } from "@web/core/utils/patch";
import { useKsefLive } from "./ksef_live";

patch(AccountMoveFormController.prototype, {
    setup() {
        super.setup(...arguments);
        this.ksefNotification = useService("notification");
        useKsefLive(
            () => this.ksefShownIds,
            () => this.onKsefChange()
        );
    },

    /** The invoice of the form, where KSeF is in use. */
    get ksefShownIds() {
        const record = this.model.root;
        return record?.resId && record.data.ksef_is_offered ? [record.resId] : [];
    },

    /** Shows the new state, unless somebody is writing in the form: then only says so. */
    async onKsefChange() {
        const record = this.model.root;
        if (await record.isDirty()) {
            this.ksefNotification.add(
                _t("KSeF has answered about this invoice. Save or discard your changes to see it."),
                { type: "info" }
            );
        } else {
            // not model.load(): that would swallow the reload which a closing dialog waits for
            await record.load();
        }
    },
});
