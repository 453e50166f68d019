"""Fed to ``odoo shell`` by the benchmark "send": Odoo's own l10n_pl_edi sends invoices to the sandbox; one line of JSON.

Its service is given the sandbox's address here, in this process alone, and logs in with a certificate of the sandbox.
"""
import base64
import json
import os
import time

from odoo.addons.l10n_pl_edi.tools.ksef_api_service import KsefApiService

task = json.loads(os.environ['KSEF_BENCH_SEND'])
KsefApiService._get_api_url = lambda service: task['url']
company = env['res.company'].search([], order='id', limit=1)  # noqa: F821
env = env(context={'allowed_company_ids': company.ids})  # noqa: F821
key = env['certificate.key'].create({
    'name': "sandbox", 'company_id': company.id, 'content': base64.b64encode(task['key'].encode())})
certificate = env['certificate.certificate'].create({
    'name': "sandbox", 'company_id': company.id, 'private_key_id': key.id, 'content': base64.b64encode(task['certificate'].encode())})
settings = env['res.config.settings'].create({'company_id': company.id})
settings.l10n_pl_edi_certificate = certificate
env.cr.commit()

moves = env['account.move'].search(
    [('move_type', '=', 'out_invoice'), ('state', '=', 'posted'), ('company_id', '=', company.id)], order='id')[-task['count']:]
data = {move: {'extra_edis': {'pl_ksef'}, 'invoice_edi_format': False} for move in moves}
started = time.perf_counter()
env['account.move.send']._call_web_service_before_invoice_pdf_render(data)
env.cr.commit()
sent = time.perf_counter() - started
errors = [values['error'] for values in data.values() if values.get('error')]
if errors:
    raise AssertionError(f"{len(errors)} errors, the first: {errors[0]}")
time.sleep(task['processing'])  # KSeF has done its work: none is asked about twice
started = time.perf_counter()
for move in moves:
    move.action_l10n_pl_edi_update_invoice_status()
env.cr.commit()
status = time.perf_counter() - started
accepted = len(moves.filtered(lambda move: move.l10n_pl_edi_number))
started = time.perf_counter()
for move in moves[:task['upos']]:
    move.action_l10n_pl_edi_get_invoice_UPO()
env.cr.commit()
upo = time.perf_counter() - started
print('RESULT', json.dumps({'sent': sent, 'status': status, 'accepted': accepted, 'upo': upo}), flush=True)
os._exit(0)
