"""FA(3), the structure of Polish e-invoices: model, writer, reader, checks, schema and view.

Framework-free: nothing here knows of Odoo, of the network or of KSeF's API. The usual way through is::

    findings = rules.check(invoice)              # what the schema and the law say about the data
    xml = writer.write(invoice)                  # bytes, always the same for the same invoice
    findings += rules.check_file(xml)            # rules about the file itself
    findings += schema.validate(xml)             # the official XSD

And the way back, for documents that others wrote::

    kind = document.detect(xml)                  # FA(3), an older structure, Peppol, not XML ...
    invoice = reader.read(xml)                   # or ReadProblem; written again it is the same document
    html = view_html.to_html(invoice)            # as people read it

Source: schema FA(3) 1-0E, namespace ``http://crd.gov.pl/wzor/2025/06/25/13775/``.
"""
