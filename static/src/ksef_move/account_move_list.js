import { AccountMoveListController } from "@account/views/account_move_list/account_move_list_controller";
import { user } from "@web/core/user";
import { patch } from "@web/core/utils/patch";
import { session } from "@web/session";
import { useKsefLive } from "./ksef_live";

const BUTTONS = ["action_ksef_send", "action_ksef_refresh_status"];
/** More rows than this are not followed; they show their state when the list is loaded again. */
const MOST_ROWS = 200;
/** Milliseconds that the list waits for further changes. */
const PAUSE = 1000;

/** Whether one of the companies chosen now is connected to KSeF; known since the page was loaded. */
export function isKsefConnected() {
    const connected = session.l10n_pl_ksef?.company_ids || [];
    return user.activeCompanies.some((company) => connected.includes(company.id));
}

function rowsOf(list) {
    return list.isGrouped ? list.groups.flatMap((group) => rowsOf(group.list)) : list.records;
}

patch(AccountMoveListController.prototype, {
    setup() {
        super.setup(...arguments);
        if (!isKsefConnected()) {
            this.archInfo = {
                ...this.archInfo,
                columns: this.archInfo.columns.filter((column) => !column.name?.startsWith("ksef_")),
                headerButtons: this.archInfo.headerButtons.filter(
                    (button) => !BUTTONS.includes(button.clickParams.name)
                ),
            };
        }
        if (this.props.resModel === "account.move" && this.archInfo.fieldNodes && isKsefConnected()) {
            useKsefLive(
                () => this.ksefShownIds,
                (ids) => this.onKsefChange(ids),
                PAUSE
            );
        }
    },

    get ksefShownIds() {
        const list = this.model.root;
        if (!list || this.model.useSampleModel || !("ksef_state" in this.model.config.activeFields)) {
            return [];
        }
        return rowsOf(list).map((record) => record.resId).filter(Boolean).slice(0, MOST_ROWS);
    },

    /** Reads the rows again; a selection or an edit in progress is left alone. */
    async onKsefChange(ids) {
        const list = this.model.root;
        if (list.editedRecord) {
            return;
        }
        if (list.selection?.length) {
            const rows = rowsOf(list).filter((record) => ids.has(record.resId));
            await Promise.all(rows.map((record) => record.load()));
        } else {
            await list.load();
        }
    },

    get actionMenuItems() {
        const items = super.actionMenuItems;
        const hidden = isKsefConnected() ? [] : session.l10n_pl_ksef?.action_ids || [];
        return { ...items, action: (items.action || []).filter((item) => !hidden.includes(item.id)) };
    },
});
