"""What a finding says to an accountant: what is wrong, and what to do. One text per code.

A text gets the values of its finding. Codes without a text can only come from a fault of this addon.
"""

from odoo.tools.translate import LazyTranslate

from .ksef_invoice_texts_rules import RULE_TEXTS

_lt = LazyTranslate(__name__)

FAULT = _lt(
    "The document made for KSeF breaks a rule (%(message)s). This is a fault of the program, not of the invoice: "
    "please report it with the invoice number.")

# 'code' or 'code:path': the latter when the same thing needs other words at one place.
TEXTS = {
    # what can't be sent
    'kind-receipt': _lt("Sales receipts are not sent to KSeF. Make a customer invoice instead."),
    'self-billing-seller': _lt(
        "Self-billing (samofakturowanie) in KSeF is for suppliers with a Polish tax number, and “%(value)s” has none that is valid. Enter "
        "the NIP, or issue the invoice outside KSeF."),
    'self-billing-own': _lt("The supplier has the NIP of this company. Choose another supplier."),
    'self-billing-kind': _lt(
        "In self-billing (samofakturowanie), invoices and corrections of amounts or of the number are supported. Issue advances, "
        "settlements, simplified invoices and corrections of a party's data in the Ministry's application."),
    'self-billing-unit': _lt(
        "The company is connected to KSeF as a unit with an internal identifier, and KSeF takes self-billed invoices only from a NIP. "
        "Issue the bill in the company that has the NIP."),
    'self-billing-right': _lt(
        "“%(value)s” has not given your company the right to issue invoices in its name in KSeF (samofakturowanie), as far as the list of "
        "rights tells. Ask the supplier for the right; then read the list again in Invoicing → KSeF → Connections."),
    'self-billing-unknown': _lt(
        "It is not known whether “%(value)s” has given your company the right to issue invoices in its name (samofakturowanie). "
        "Without that right KSeF rejects the invoice."),
    'tax-side': _lt(
        "The tax “%(value)s” doesn't belong on this document: customer invoices have taxes of sales, vendor bills those of purchases. "
        "Choose another tax."),
    'tax-purchase': _lt(
        "The seller's rate can't be told from the purchase tax “%(value)s”: it has other grids than ordinary purchases in Poland. Set "
        "“Rate in KSeF” on the tax."),
    'tax-purchase-zero': _lt(
        "The purchase tax “%(value)s” may stand for exempt or for zero-rated. Set “Rate in KSeF” on the tax."),
    'kind-other': _lt("Only customer invoices are sent to KSeF."),
    'not-posted': _lt("The invoice is not posted. Confirm it first."),
    'issued-outside': _lt(
        "The invoice is marked as issued outside KSeF or with another program, so it isn't sent from here. Take the mark off if "
        "that is wrong."),
    'company-country': _lt("The company's fiscal country is not Poland, so it has no invoices for KSeF."),
    'company-currency': _lt(
        "The company's currency is not PLN. Only companies that keep their books in PLN are supported."),
    'currency-rate': _lt("The invoice has no exchange rate. Enter the currency's rate."),
    'currency-decimals': _lt("Amounts in %(value)s have more than two digits after the point, which KSeF doesn't take."),
    'currency-unknown': _lt("KSeF doesn't know the currency “%(value)s”."),
    'currency-rate-date': _lt(
        "The rate of exchange is %(value)s, which is not the one that Odoo has for %(today)s. The VAT act (art. 31a) prescribes the rate "
        "of that day: the last working day before the tax point or the day of issue. Use the button “Apply the prescribed rate”, or enter "
        "the day of the rate on the page “KSeF data”."),
    'currency-rate-original': _lt(
        "The rate of exchange is %(value)s, but the corrected invoice has %(expected)s. A correction keeps the rate of the original "
        "(art. 31b): use the button “Apply the prescribed rate”."),
    'foreign-vat': _lt("The fiscal position is that of a tax registration outside Poland. Such invoices don't belong into KSeF."),
    'early-discount': _lt(
        "The payment term reduces the tax at once for a discount that the buyer may never take (“always upon invoice”). In Poland the tax "
        "follows the full price: choose another tax reduction on the payment term."),
    'cash-rounding': _lt(
        "The rounding method changes the tax, which must follow its rate. Choose a rounding method that adds a line."),
    'journal-item': _lt("The invoice has a journal item of a kind that can't be stated in KSeF."),
    'journal-tax': _lt("The tax “%(value)s” is booked on the invoice, but has no rate in KSeF."),
    'line-without-tax': _lt(
        "The line has no tax. Choose one: every line in KSeF needs a rate, also 0 %%, reverse charge or not "
        "taxable."),
    'line-taxes': _lt("The line has several taxes (%(value)s). KSeF takes one rate per line: split the line."),
    'line-grids': _lt(
        "The journal item is booked in the tax grids %(value)s, its tax says %(expected)s. The invoice would "
        "differ from the VAT return: reset it to draft and confirm it again, or correct the grids."),
    'line-discount': _lt(
        "A discount of %(value)s %% can't be stated. Change the unit price, and give a discount between 0 and 100"
        " %%."),
    'receipt': _lt(
        "The invoice belongs to a point of sale order. If the buyer has got a fiscal receipt for it, mark it as an invoice for a receipt "
        "(FP)."),
    # corrections
    'correction-without-original': _lt(
        "A correcting invoice (faktura korygująca) must name what it corrects. Make it with “Credit Note” on the original invoice, or "
        "enter the corrected invoices on the page “KSeF data”."),
    'correction-original-unsent': _lt(
        "The corrected invoice %(value)s has no KSeF number yet. Send it first and wait for its number; if it was issued outside KSeF, "
        "or sent with another program, say so on that invoice."),
    'correction-earlier-unsent': _lt(
        "%(value)s is an earlier correction of the same invoice and has no KSeF number yet. Send it first: what stood before this "
        "correction depends on it."),
    'correction-receipt': _lt("The credit note reverses a sales receipt, not an invoice. Only invoices are corrected in KSeF."),
    'correction-currency': _lt(
        "The correction is in another currency than the corrected invoice. KSeF takes the currency of the original."),
    'correction-other-buyer': _lt(
        "The correction has another buyer than the corrected invoice. A wrong buyer is corrected to zero, with a new invoice for the right "
        "one."),
    'correction-period-missing': _lt("A discount for a period must name the period, such as “styczeń 2026”. Enter it."),
    'correction-data-amount': _lt("A correction of data alone has no amounts. Take the lines with amounts off."),
    'correction-number-missing': _lt(
        "A correction of the invoice's number must say which number is right. Enter it on the page “KSeF data”."),
    'correction-seller-unknown': _lt(
        "What KSeF knows as the seller of the corrected invoice is not known here, because the invoice was not sent from this Odoo."),
    'correction-seller-number': _lt(
        "The company's NIP has changed. A wrong number can't be corrected as data: credit the whole invoice and issue another one."),
    'correction-buyer-unknown': _lt(
        "What KSeF knows as the buyer of the corrected invoice is not known here, because the invoice was not sent from this Odoo."),
    'correction-buyer-number': _lt(
        "The buyer's tax number has changed. A wrong number can't be corrected as data: credit the whole invoice and issue another one."),
    'correction-exceeds': _lt(
        "The line takes back %(value)s, but only %(expected)s are left of the corrected line. Lower it, or take the link to the corrected "
        "line off."),
    'correction-effect-missing': _lt(
        "It isn't said in which period the correction counts for VAT (typ korekty). The invoice can be sent without it."),
    'original-unseen': _lt(
        "The corrected invoice %(value)s was not sent to KSeF from here, so what this correction says about it (lines before, buyer, "
        "currency) couldn't be compared with it. Compare it yourself."),
    # advances and settlements
    'advances-unseen': _lt(
        "The settled advance %(value)s was not sent to KSeF from here, so it couldn't be proven that what remains is the order less "
        "the advances. Recount it yourself."),
    'advance-without-order': _lt(
        "An advance invoice (faktura zaliczkowa) must describe the order it is paid for. Enter the order's lines on the page “KSeF data”."),
    'order-line-taxes': _lt("The order's line has no tax or several (%(value)s). KSeF takes one rate per line."),
    'advance-unknown': _lt(
        "A settlement invoice (faktura rozliczeniowa) must name the advance invoices that it settles. Choose them on "
        "the page “KSeF data”."),
    'advance-unsent': _lt(
        "The settled advance invoice %(value)s has no KSeF number yet. Send it first and wait for its number; if it was issued outside "
        "KSeF, say so on that invoice."),
    # transport, authorised party, attachment
    'transport-address': _lt("“%(value)s” has no address. Enter at least street or town, and the country."),
    'authorized-nip': _lt("The authorised party “%(value)s” has no NIP. Enter it."),
    'attachment-consent': _lt(
        "KSeF takes attachments only from companies that have announced them in e-Urząd Skarbowy, and this one has not. Announce them "
        "there and send the invoice again after a quarter of an hour, or take the attachment off."),
    'attachment-unknown': _lt(
        "KSeF takes attachments only from companies that have announced them in e-Urząd Skarbowy. Whether this one has is not known here; "
        "if not, KSeF will reject the invoice."),
    # statements
    'split-payment': _lt(
        "The invoice is over 15,000 PLN and has goods or services of annex 15 (%(value)s), so it must state split payment (mechanizm "
        "podzielonej płatności). Choose “Yes” there, or leave it empty."),
    'split-payment-doubt': _lt(
        "The invoice is over 15,000 PLN. If it has goods or services of annex 15 to the VAT act, it must state split payment (mechanizm "
        "podzielonej płatności): choose “Yes” or “No” on the page “KSeF data”."),
    'exemption-basis': _lt(
        "The invoice is exempt from tax, and the law that exempts it must be stated. Enter the legal basis on the tax “%(value)s” or on "
        "the invoice."),
    'exemption-laws': _lt(
        "The taxes of the invoice are exempt by different kinds of law, and KSeF takes one. Enter the legal basis on the invoice."),
    'margin-kinds': _lt("The invoice has several kinds of margin. Make an invoice for each."),
    # taxes
    'tax-country': _lt("The tax “%(value)s” is not a Polish one. Sales taxed abroad are not supported yet."),
    'tax-group': _lt("“%(value)s” is a group of taxes. KSeF takes one rate per line."),
    'tax-computation': _lt("The tax “%(value)s” is not a percentage. Only percentages have a rate in KSeF."),
    'tax-distribution': _lt(
        "The tax “%(value)s” is not booked in full (see its distribution), so its amount can't be stated in KSeF."),
    'tax-tourist': _lt(
        "The tax “%(value)s” is for refunds to travellers (art. 129). The invoice states the tax of the sale; the refund is no invoice."),
    'tax-unmapped': _lt(
        "The tax “%(value)s” has no tax grid from which the KSeF rate could be told (such as K_19 for 23 %%). Use"
        " a tax of the Polish chart, or give the tax its grids."),
    'tax-percent': _lt(
        "The percentage of the tax “%(value)s” doesn't fit its tax grids. KSeF knows no such rate there."),
    # split payment
    'split-payment-missing': _lt("The invoice must state split payment (mechanizm podzielonej płatności)."),
    # dates
    'issue-date-future': _lt(
        "The invoice date lies in the future (in Poland it is %(today)s). KSeF refuses such invoices: wait for "
        "that day, or set today's date."),
    'issue-date-past': _lt(
        "The invoice date is earlier than today (%(today)s). KSeF will mark the invoice as issued offline, and "
        "the law allows that only within short deadlines. Set today's date if the buyer doesn't have the invoice "
        "yet."),
    'supply-date-far': _lt(
        "The supply takes place more than %(limit)s days after the invoice date. The law doesn't allow to issue "
        "the invoice that early."),
    'supply-date-conflict': _lt(
        "The taxable supply date and the delivery date differ. %(value)s will be stated as the date of supply "
        "(P_6)."),
    'supply-date-conflict-same': _lt(
        "The delivery date differs from the taxable supply date, which is the day of issue. No other date of supply will "
        "be stated; correct the taxable supply date if the goods were delivered on another day."),
    'supply-date-delivery': _lt(
        "%(value)s will be stated as the date of supply (P_6). It is the day of the order's first delivery: if another "
        "delivery is invoiced here, enter its day as the taxable supply date."),
    'buyer-recipient': _lt(
        "The invoice is addressed to “%(value)s”, but KSeF will get only the business it belongs to. Units of local "
        "government and members of VAT groups (JST, GV) can't be named yet: don't send the invoice if it is for one."),
    'reverse-charge-doubt': _lt(
        "The invoice will state that the buyer accounts for the tax (“odwrotne obciążenie”, P_18), as businesses abroad "
        "usually do. If the buyer is not liable for it, don't send the invoice."),
    'net-sum-rounding': _lt(
        "The net sum of the rate (%(value)s) differs from the sum of its lines (%(expected)s), because Odoo rounds the whole "
        "invoice at once. To avoid that, choose “Round per Line” in the accounting settings, and reset and confirm the invoice."),
    'date-range': _lt("The date %(value)s is not between %(minimum)s and %(maximum)s."),
    # parties
    'value-missing': _lt("A value is missing here that KSeF demands."),
    'value-missing:seller.nip': _lt("The company has no tax number. Enter its NIP."),
    'value-missing:seller.address': _lt("The company has no address. Enter street and town."),
    'value-missing:seller.address.country': _lt("The company's address has no country. Choose one."),
    'value-missing:buyer.identifier.nip': _lt(
        "The buyer is a Polish company without a tax number. Enter its NIP: KSeF delivers the invoice by it. (If "
        "the buyer is a private person, mark the contact as one; for a company that really has none, enter “/”.)"),
    'value-missing:buyer.address.country': _lt("The buyer's address has no country. Choose one."),
    'buyer-name-missing': _lt("The buyer has no name."),
    'buyer-address-missing': _lt("The buyer has no address. Enter at least street or town, and the country."),
    'nip-format': _lt("“%(value)s” is not a NIP: it has ten digits. Correct the number."),
    'nip-checksum': _lt("“%(value)s” is not a NIP: its check digit is wrong. Correct the number."),
    'regon-format': _lt("“%(value)s” is not a REGON: it has 9 or 14 digits. Correct the number."),
    'krs-format': _lt("“%(value)s” is not a KRS number: it has ten digits. Correct the number."),
    'eu-vat-format': _lt("“%(value)s” can't be an EU VAT number. Correct it."),
    'eu-prefix-unknown': _lt("“%(value)s” doesn't begin with the prefix of an EU country. Correct it."),
    'eu-vat-doubtful': _lt("“%(value)s” doesn't look like a valid EU VAT number. Check it in VIES."),
    'rate-needs-eu-buyer': _lt(
        "The rate %(rates)s is for buyers with a VAT number of another EU country, and this buyer has none. Enter"
        " it, or use another tax."),
    'rate-needs-polish-buyer': _lt(
        "Domestic reverse charge (oo) needs a buyer with a NIP, and this buyer has none. Enter it, or use another"
        " tax."),
    'country-unknown': _lt("KSeF doesn't know the country code “%(value)s”. Choose another country."),
    # account
    'account-format': _lt(
        "“%(value)s” is not an account number that KSeF takes: 10 to 34 digits and capital letters."),
    'account-checksum': _lt("“%(value)s” is not a valid account number: its check digits are wrong. Correct it."),
    'swift-format': _lt("“%(value)s” is not a BIC (SWIFT) code. Correct it at the bank, or take it off."),
    # texts and numbers
    'text-empty': _lt("The text is empty."),
    'text-spaces': _lt("The text has spaces at an end, or several in a row. KSeF would change it: take them out."),
    'text-too-long': _lt("The text has %(length)s characters, KSeF takes %(limit)s. Shorten it."),
    'text-too-short': _lt("The text is too short: KSeF takes at least %(limit)s characters."),
    'text-format': _lt("“%(value)s” doesn't have the form that KSeF demands."),
    'character-forbidden': _lt(
        "KSeF refuses the invisible or special character %(character)s at position %(position)s. Delete it (type "
        "the text around it anew)."),
    'number-invalid': _lt("“%(value)s” is not a number."),
    'number-decimals': _lt(
        "%(value)s has more than %(limit)s digits after the point, which KSeF doesn't take. Round it."),
    'number-too-large': _lt("%(value)s has more than %(limit)s digits before the point, which KSeF doesn't take."),
    'too-many': _lt("There are %(count)s of these; KSeF takes %(limit)s. Make several invoices."),
    'file-size': _lt("The document has %(size)s bytes, KSeF takes %(limit)s. Make several invoices."),
    # lines and sums
    'lines-missing': _lt("The invoice has no lines."),
    'line-name-missing': _lt("The line has no description. Enter what was sold."),
    'line-arithmetic': _lt(
        "Quantity times unit price less discount makes %(expected)s, but the line's amount is %(value)s. Correct "
        "the line, or reset the invoice to draft and confirm it again."),
    'line-negative': _lt(
        "The line takes off an amount. It will be stated as a discount given with this sale. If it deducts an "
        "advance or corrects an earlier invoice, don't send it."),
    'net-sum': _lt(
        "The lines of one rate make %(expected)s net, the journal entry has %(value)s. Reset the invoice to draft"
        " and confirm it again."),
    'tax-sum': _lt(
        "By its rate the tax is %(expected)s, the journal entry has %(value)s. Correct the tax amount, or reset "
        "the invoice to draft and confirm it again."),
    'total-sum': _lt(
        "Net values and tax of the journal entry make %(expected)s, but the invoice total is %(value)s."),
    'group-mismatch': _lt(
        "Lines and journal entry have different tax rates. Reset the invoice to draft and confirm it again."),
    'sum-negative': _lt(
        "The lines of one rate take off more than they charge. That needs a correcting invoice, which is not "
        "supported yet."),
    'total-tax-unexpected': _lt("Tax is booked with a rate that has none."),
    # proof
    'schema': _lt("The document doesn't fit the official schema, element %(element)s: %(reason)s"),
    'schema-missing': _lt(
        "The official schema of FA(3) is not on this server, so the document was checked by the program's own "
        "rules only. An administrator can install the files of Odoo's module l10n_pl_edi."),
    'schema-broken': _lt(
        "The schema of FA(3) on this server can't be used (%(reason)s). An administrator has to replace it."),
    **RULE_TEXTS,
}
