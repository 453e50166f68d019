{
    'name': "Poland - KSeF 2.0",
    'summary': "Send invoices to KSeF (Krajowy System e-Faktur), get their numbers, UPO and QR codes",
    'version': '19.0.1.0.0',
    'category': 'Accounting/Localizations/EDI',
    'author': "l10n_pl_ksef contributors",
    'license': 'LGPL-3',
    'depends': ['account', 'l10n_pl'],
    'external_dependencies': {
        'python': ['cryptography', 'signxml', 'lxml', 'requests', 'qrcode', 'python-stdnum'],
    },
    'data': [
        'security/ksef_groups.xml',
        'security/ir.model.access.csv',
        'security/ksef_rules.xml',
        'data/ir_cron.xml',
    ],
    'demo': [],
    'post_init_hook': 'post_init_hook',
    'application': False,
    'installable': True,
}
