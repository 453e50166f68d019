"""Every public method of the addon with the group that it needs, and the tables that people fill by hand."""
READ, SEND, MANAGE = (f'l10n_pl_ksef.group_ksef_{name}' for name in ('read', 'send', 'manage'))
# What a client can call; a new public method must be added here.
PUBLIC_METHODS = {
    'ksef.connection': {
        'action_verify': MANAGE, 'action_confirm_database': MANAGE, 'action_disconnect': MANAGE,
        'action_connect_again': MANAGE, 'action_move_to_certificates': MANAGE,
        'action_forget_lost_secrets': MANAGE, 'action_open_documents': None,
        'action_use': MANAGE, 'action_get_certificate': MANAGE, 'action_get_offline_certificate': MANAGE,
        'action_generate_token': MANAGE, 'action_fetch_public_keys': MANAGE, 'action_list_logins': MANAGE,
        'action_new_request': MANAGE, 'action_cancel_signing': MANAGE, 'action_download_request': MANAGE,
        'action_upload_signed': MANAGE, 'action_list_permissions': MANAGE, 'action_open_permissions': MANAGE,
        'action_give_office': MANAGE, 'action_give_person': MANAGE, 'action_use_parent': MANAGE,
        'action_change_responsible': MANAGE,
    },
    'ksef.permission': {'action_revoke': MANAGE},
    'ksef.chore': {'action_open': MANAGE, 'action_run_now': MANAGE, 'action_pause': MANAGE, 'action_resume': MANAGE},
    'ksef.archive': {'action_download': READ},
    'ksef.overview': {'get_ksef_overview': READ, 'open_ksef_figure': READ, 'action_ksef_refresh_open': SEND},
    'ksef.connection.responsible': {'action_apply': MANAGE},
    'ksef.permission.grant': {'action_give': MANAGE},
    'ksef.permission.revoke': {'action_revoke': MANAGE},
    'ksef.credential': {'action_make_default': MANAGE, 'action_archive': MANAGE, 'action_revoke': MANAGE},
    'ksef.task': {'action_retry': MANAGE},
    'ksef.login': {'action_end': MANAGE},
    'ksef.session': {'action_close': MANAGE},
    'ksef.takeover.wizard': {'action_take_over': MANAGE, 'action_import_numbers': MANAGE, 'action_open_connection': MANAGE},
    'ksef.import.numbers': {
        'action_check': MANAGE, 'action_take_over': MANAGE, 'action_back': MANAGE, 'action_download_bad_lines': MANAGE,
        'action_export': MANAGE,
    },
    'ksef.upload.signed': {'action_send': MANAGE},
    'ksef.month.check': {
        'action_begin': READ, 'action_look': READ, 'action_previous': READ, 'action_next': READ,
        'action_close': 'account.group_account_manager'},
    'ksef.month.check.line': {'action_open': READ},
    'ksef.mode.change': {'action_apply': MANAGE},
    'ksef.collective': {'action_ask_again': SEND, 'action_cancel': SEND, 'action_pay': SEND},
    'ksef.delivery': {'action_resend': SEND, 'action_cancel': SEND},
    'ksef.document': {'action_open_move': READ, 'action_check_again': SEND, 'action_preview': READ,
        'action_not_in_ksef': MANAGE, 'action_undo_import': MANAGE},
    'ksef.connect': {'action_connect': MANAGE, 'action_remove_files': MANAGE},
    'ksef.preview': {
        'action_next': READ, 'action_previous': READ, 'action_back': SEND, 'action_download_xml': READ, 'action_download_pdf': READ,
    },
    'ksef.send': {
        'action_confirm': SEND, 'action_confirm_late': SEND, 'action_leave_out_late': SEND, 'action_set_today': SEND,
        'action_preview': SEND,
    },
    'account.move': {
        'action_ksef_send': SEND, 'action_ksef_refresh_status': SEND, 'action_ksef_withdraw': SEND, 'action_ksef_withdraw_unsent': SEND,
        'action_ksef_preview_other': READ, 'action_ksef_adopt_other': SEND,
        'action_ksef_jpk_corrected': 'account.group_account_invoice',
        'action_ksef_go_offline': SEND, 'action_ksef_technical_correction': SEND, 'action_ksef_undo_total_failure': SEND,
        'action_ksef_set_today': SEND, 'action_ksef_explain': READ, 'action_ksef_collective': SEND, 'action_ksef_preview': READ,
        'action_ksef_apply_lawful_rate': 'account.group_account_invoice',
        'action_ksef_take_payments': 'account.group_account_invoice',
    },
    'ksef.go.offline': {'action_issue': SEND},
    'ksef.received': {
        'action_make_bill': SEND, 'action_make_bill_anyway': SEND, 'action_link_candidate': SEND, 'action_set_aside': SEND,
        'action_restore': SEND, 'action_try_again': SEND, 'action_open_bill': READ, 'action_download_xml': READ,
        'action_download_html': READ, 'action_download_zip': READ,
        'action_fetch_now': SEND, 'action_replace_draft': SEND, 'action_write_to_seller': SEND, 'action_change_receipt': SEND,
        'action_link_expense': SEND,
        'action_import_sale': 'account.group_account_invoice',
        'action_mend': SEND, 'action_download_pdf': READ, 'action_take_supplier_data': SEND,
    },
    'ksef.product.map': {'action_merge': SEND},
    'ksef.received.receipt': {'action_apply': SEND},
    'ksef.received.control': {'action_open_differences': READ, 'action_mend': SEND},
    'ksef.fetch': {'action_cancel': SEND, 'action_open_received': READ},
    'ksef.fetch.now': {'action_fetch': SEND},
    'ksef.received.reason': {'action_apply': SEND},
    'res.config.settings': {'action_ksef_open_connection': READ},
}
# Tables that bookkeepers fill by hand; everything else is written by the program alone.
EDITED_BY_HAND = {
    'ksef.mode.rule',
    'ksef.product.map', 'ksef.invoice.reference', 'ksef.invoice.remark', 'ksef.order.line', 'ksef.third.party',
    'ksef.invoice.payment', 'ksef.invoice.charge', 'ksef.invoice.transport', 'ksef.new.vehicle', 'ksef.invoice.block',
}
# Tables that belong to no company: what they hold is public.
SHARED_TABLES = {'ksef.service.state', 'ksef.outage'}
# Methods of Odoo that the addon extends: their own rights hold.
ORM_METHODS = {'load', 'create', 'write', 'unlink', 'default_get', 'read', 'session_info', 'copy_data'}
