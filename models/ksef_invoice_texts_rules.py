"""What findings about kinds of invoices, parties, currencies and payments say to an accountant: one text per code.

Continues ``TEXTS`` of :mod:`.ksef_invoice_texts`; a text gets the values of its finding.
"""

from odoo.tools.translate import LazyTranslate

_lt = LazyTranslate(__name__)

RULE_TEXTS = {
    'advance-exceeds-order': _lt(
        "The advance is %(value)s, the whole order only %(expected)s. Correct the order's lines or the amount of the "
        "advance."),
    'advance-foreign': _lt(
        "The advance invoice %(value)s doesn't belong to this order. Take it off the list of settled advances."),
    'advance-rate-unexpected': _lt("A rate of exchange of the whole invoice (%(value)s) is stated on advance invoices only."),
    'advance-twice': _lt("An advance invoice is listed twice among the settled advances. Remove one of the two entries."),
    'advance-unnamed': _lt(
        "The advance invoice %(value)s was issued for this order, but the final invoice doesn't list it. Add it to the "
        "settled advances."),
    'advances-missing': _lt(
        "A final invoice (faktura rozliczeniowa) must list the advance invoices that it settles. Enter them on the page "
        "“KSeF data”."),
    'advances-unexpected': _lt(
        "The invoice lists advance invoices, but it is neither a final invoice nor an advance. Check the kind of invoice."),
    'agreed-rate-unexpected': _lt("An agreed rate of exchange (kurs umowny) can be stated on invoices in PLN only. Remove it."),
    'bdo-format': _lt("“%(value)s” is no BDO number: it has nine digits."),
    'buyer-unit-unmarked': _lt(
        "A unit of local government or a member of a VAT group is named as recipient, but the buyer isn't marked "
        "accordingly (JST or GV). Mark the buyer."),
    'corrected-buyer-key': _lt(
        "The correction shows old data of several buyers, and it isn't clear which party each of them is. Give each a key"
        " of its own."),
    'corrected-later': _lt(
        "The corrected invoice is dated %(value)s, later than the correction. Check the date of the corrected invoice."),
    'corrected-nip': _lt(
        "A correction can't change a NIP (%(value)s). Correct the wrong invoice to zero and issue a new one to the right "
        "taxpayer."),
    'corrected-twice': _lt("The correction names the same invoice twice. Remove one of the two entries."),
    'correction-empty': _lt("The correction changes no amount, no line and no data of a party. Check whether it is needed."),
    'correction-missing': _lt(
        "A correcting invoice must say which invoice it corrects. Enter the corrected invoice on the page “KSeF data”."),
    'correction-pair-missing': _lt(
        "The correction shows a line as it was, but not what it has become. Enter the line as it is after the correction,"
        " with zero if nothing is left of it."),
    'correction-pair-uid': _lt("The two states of a corrected line have different identifiers."),
    'correction-unexpected': _lt(
        "The invoice names corrected invoices, but it isn't a correction. Remove them, or issue a credit note."),
    'debit-unclear': _lt(
        "The debit note has the quantity and the price of the corrected line. It is stated as a larger quantity (%(value)s at %(price)s). "
        "If the price was raised instead, enter the increase as two lines of the same quantity, each with a part of it."),
    'eori-format': _lt("“%(value)s” doesn't look like an EORI number: a country code and up to 15 letters and digits."),
    'exchange-rate-invalid': _lt("The rate of exchange %(value)s must be greater than zero."),
    'exchange-rate-missing': _lt("The tax in PLN is stated, but not the rate that it was calculated by."),
    'exchange-rate-unexpected': _lt("The invoice is in PLN, but a rate of exchange (%(value)s) is stated."),
    'exemption-missing': _lt(
        "Something on the invoice is exempt from VAT: enter the legal basis of the exemption, on the tax or on the page "
        "“KSeF data”."),
    'exemption-unfounded': _lt(
        "A legal basis of an exemption is stated, but nothing on the invoice is exempt. Remove it, or correct the taxes."),
    'factor-missing': _lt(
        "The account of a factor is stated, but no factor. Add the factor to the other parties of the invoice."),
    'gtin-checksum': _lt("“%(value)s” is no bar code number (GTIN): its check digit is wrong. Correct the product's bar code."),
    'instalments-part': _lt(
        "Payments of %(value)s are stated as a part of the amount due, which is %(expected)s. Check the payments."),
    'instalments-whole': _lt(
        "Payments of %(value)s are stated as the whole amount due, which is %(expected)s. Check the payments."),
    'ksef-number-checksum': _lt(
        "“%(value)s” can't be a KSeF number: its check sum is wrong. Copy the number again from the invoice or from KSeF."),
    'ksef-number-seller': _lt(
        "The KSeF number %(value)s begins with a NIP that isn't the seller's. Check that it belongs to the right invoice."),
    'line-before-unexpected': _lt("A line is marked as the state before a correction, but the invoice isn't a correction."),
    'line-gross': _lt("The line's value with tax is %(value)s, by its value and rate it is %(expected)s."),
    'line-tax': _lt("The line's tax is %(value)s, by its value and rate it is %(expected)s."),
    'margin-missing': _lt("Something is sold under the margin scheme: choose its kind on the page “KSeF data”."),
    'margin-unfounded': _lt(
        "A margin scheme is stated, but nothing on the invoice is sold under it. Remove it, or correct the taxes."),
    'new-transport-unfounded': _lt(
        "New means of transport are stated, but there is no intra-EU supply (0 %% WDT) on the invoice."),
    'numbers-many': _lt(
        "Odoo knows %(value)s numbers, KSeF takes %(limit)s at most, so none is stated. Enter those that matter, or send the invoice "
        "without them."),
    'order-missing': _lt(
        "An advance invoice must describe the order or contract that it is paid for. Enter its lines on the page “KSeF "
        "data”."),
    'order-sum': _lt("The order's value is %(value)s, its lines with tax make %(expected)s. Correct the order's lines."),
    'order-unexpected': _lt("The invoice describes an order, which only advance invoices do. Check the kind of invoice."),
    'original-amount': _lt(
        "The amount before the correction is %(value)s, but the corrected invoice and its earlier corrections make %(expected)s."),
    'original-buyer': _lt(
        "The corrected invoice was issued to another buyer. Correct it to zero and issue a new one to the right buyer."),
    'original-currency': _lt("The corrected invoice is in %(value)s. A correction is issued in the currency of the original."),
    'original-line': _lt("A line's state before the correction isn't what the corrected invoice says (%(expected)s)."),
    'original-line-unknown': _lt("A line's state before the correction isn't found on the corrected invoice as KSeF has it."),
    'original-number': _lt("The correction doesn't name the invoice %(value)s that it corrects."),
    'original-seller': _lt("The corrected invoice was issued by another company."),
    'paid-later': _lt(
        "The payment is dated %(value)s, later than the invoice. Only payments made before the issue are stated."),
    'partial-advances-sum': _lt(
        "The payments received make %(value)s, the invoice is for %(expected)s. Correct the payments or the amount."),
    'partial-advances-unexpected': _lt(
        "Payments received in advance are stated, but the invoice is neither an advance nor a final invoice."),
    'payment-link-id': _lt(
        "The payment link carries another payment identifier (IPKSeF) than the invoice. Correct one of them."),
    'payment-link-format': _lt(
        "“%(value)s” can't be stated as a payment link: it must be an internet address with the parameter IPKSeF."),
    'payment-id-format': _lt("“%(value)s” is no payment identifier (IPKSeF): three digits and ten letters or digits."),
    'previous-amount-missing': _lt("A correction of an advance or final invoice must state the amount before the correction."),
    'previous-amount-unexpected': _lt(
        "The amount before the correction is stated only when an advance or final invoice is corrected."),
    'procedure-customs': _lt("The line has customs procedure 42 or 63, but not the rate 0 %% WDT. Check procedure and tax."),
    'procedure-triangular': _lt("The line is marked TT_D, but triangulation isn't stated on the invoice. Check both."),
    'regon-checksum': _lt("“%(value)s” is no REGON number: its check digit is wrong. Correct it in the company's data."),
    'internal-id-format': _lt("“%(value)s” is no internal identifier (ID wewnętrzny): a NIP, a hyphen and five digits."),
    'ksef-number-format': _lt("“%(value)s” is no KSeF number. It has the form NIP-YYYYMMDD-XXXXXXXXXXXX-XX."),
    'self-billing-buyer': _lt(
        "Self-billing is stated, but the buyer has no tax number. Only a taxpayer can issue invoices in the seller's "
        "name."),
    'seller-prefix': _lt("The prefix of the seller's EU VAT number must be PL, not %(value)s."),
    'settlement-due': _lt("Stated as due is %(value)s, by total, charges and deductions it is %(expected)s."),
    'settlement-items': _lt("The sum of charges or deductions is %(value)s, its items make %(expected)s."),
    'settlement-remainder': _lt(
        "%(value)s remain net on the final invoice, by order and advances it should be %(expected)s. Check the lines and "
        "the deducted advances."),
    'settlement-part': _lt(
        "%(value)s remain net on the final invoice; with all advances taken off it would be %(expected)s. The invoice is for a part of the "
        "order: make sure that another one takes off the rest of the advances."),
    'settlement-sum': _lt(
        "%(value)s remain net on the final invoice, more than the whole order of %(expected)s. Check the deducted "
        "advances."),
    'share-unexpected': _lt("A share is given for a party that is no additional buyer. Remove the share, or change the role."),
    'shares-sum': _lt(
        "The additional buyers have %(value)s %% together, so nothing is left for the buyer. Correct the shares."),
    'simplified-buyer': _lt("A simplified invoice (faktura uproszczona) needs the buyer's tax number."),
    'simplified-limit': _lt(
        "The total is %(value)s, a simplified invoice can be for %(limit)s at most. Issue an ordinary invoice."),
    'simplified-tax': _lt("A simplified invoice needs either sums per rate or a rate on every line."),
    'split-payment-unfounded': _lt("Split payment is stated, but there is no tax on the invoice. Take the mark off."),
    'table-cells': _lt("A row of an attached table has %(count)s cells, the table only %(limit)s columns."),
    'table-number': _lt("“%(value)s” stands in a column of numbers of an attached table."),
    'tax-in-pln': _lt("The tax in PLN is %(value)s, by the rate of exchange it should be %(expected)s. Check the rate."),
    'tax-in-pln-missing': _lt("The invoice is in another currency, and its tax in PLN is missing."),
    'tax-in-pln-unexpected': _lt("The invoice is in PLN, so its tax in PLN isn't stated a second time."),
    'triangular-buyer': _lt("Triangulation (procedura trójstronna) needs a buyer with an EU VAT number."),
    'period-order': _lt("The period of the invoice ends before it begins (%(value)s). Correct the dates."),
    'transport-order': _lt("The transport ends before it begins. Correct the dates."),
    'vehicle-line': _lt("A new means of transport names a line that isn't on the invoice. Enter the number of its line."),
}
