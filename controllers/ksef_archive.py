from odoo import http
from odoo.http import content_disposition, request
from werkzeug.wsgi import FileWrapper


class KsefArchiveController(http.Controller):

    @http.route('/l10n_pl_ksef/archive/<int:archive_id>', type='http', auth='user', methods=['GET'], readonly=True)
    def archive(self, archive_id, **_unused):
        """The archive of a period, from a file on the disk: it is never whole in memory.

        :raise AccessError: it isn't the user's own, or he may not see KSeF; :raise UserError: there is nothing, or too much
        """
        archive = request.env['ksef.archive'].browse(archive_id)
        stream = archive._write_archive()
        size = stream.seek(0, 2)
        stream.seek(0)
        headers = [
            ('Content-Type', 'application/zip'), ('Content-Length', str(size)),
            ('Content-Disposition', content_disposition(archive._file_name())), ('X-Content-Type-Options', 'nosniff'),
        ]
        response = request.make_response(FileWrapper(stream), headers=headers)
        response.direct_passthrough = True
        response.call_on_close(stream.close)
        return response
