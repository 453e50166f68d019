"""What a finding says to an accountant: what is wrong, and what to do. One text per code.

A text gets the values of its finding. Codes without a text can only come from a fault of this addon.
"""

from odoo.tools.translate import LazyTranslate

_lt = LazyTranslate(__name__)

FAULT = _lt(
    "The document made for KSeF breaks a rule (%(message)s). This is a fault of the program, not of the invoice: "
    "please report it with the invoice number.")

# 'code' or 'code:path': the latter when the same thing needs other words at one place.
TEXTS = {
    # what can't be sent
    'kind-refund': _lt(
        "Credit notes are not supported yet. A correcting invoice (faktura korygująca) can't be sent."),
    'kind-receipt': _lt("Sales receipts are not sent to KSeF. Make a customer invoice instead."),
    'kind-other': _lt("Only customer invoices are sent to KSeF."),
    'not-posted': _lt("The invoice is not posted. Confirm it first."),
    'company-country': _lt("The company's fiscal country is not Poland, so it has no invoices for KSeF."),
    'company-currency': _lt(
        "The company's currency is not PLN. Only companies that keep their books in PLN are supported."),
    'currency': _lt(
        "The invoice is in another currency than PLN. Invoices in foreign currency are not supported yet."),
    'foreign-vat': _lt(
        "The fiscal position is that of a tax registration outside Poland. Such invoices don't belong into KSeF."),
    'early-discount': _lt(
        "The payment term grants a discount for early payment (skonto), which is not supported yet. Choose "
        "another payment term."),
    'voucher': _lt("Vouchers (bony) are not supported yet: their procedure can't be stated on the lines."),
    'reversal': _lt("The invoice reverses another document. Corrections are not supported yet."),
    'debit-note': _lt(
        "This is a debit note. In Poland it is a correcting invoice (faktura korygująca), which is not supported "
        "yet."),
    'receipt': _lt("The invoice belongs to a point of sale order. Invoices for receipts are not supported yet."),
    'down-payment': _lt(
        "The invoice charges or deducts a down payment. Advance and settlement invoices (faktura zaliczkowa, "
        "rozliczeniowa) are not supported yet."),
    'cash-rounding': _lt("Cash rounding is not supported yet. Take the rounding method off the invoice."),
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
    # taxes
    'tax-country': _lt("The tax “%(value)s” is not a Polish one. Sales taxed abroad are not supported yet."),
    'tax-group': _lt("“%(value)s” is a group of taxes. KSeF takes one rate per line."),
    'tax-computation': _lt("The tax “%(value)s” is not a percentage. Only percentages have a rate in KSeF."),
    'tax-included': _lt(
        "The tax “%(value)s” is included in prices. Invoices with gross prices are not supported yet: use the tax"
        " that is added to the price."),
    'tax-cash-basis': _lt(
        "The tax “%(value)s” is due on payment. The cash method (metoda kasowa) is not supported yet."),
    'tax-distribution': _lt(
        "The tax “%(value)s” is not booked in full (see its distribution), so its amount can't be stated in KSeF."),
    'tax-exempt': _lt("The tax “%(value)s” is an exemption (zw). Exempt sales are not supported yet."),
    'tax-tourist': _lt("The tax “%(value)s” is for refunds to travellers (art. 129), which are not supported yet."),
    'tax-triangular': _lt("The tax “%(value)s” is for triangular transactions, which are not supported yet."),
    'tax-customs': _lt("The tax “%(value)s” is for the customs procedures 42 and 63, which are not supported yet."),
    'tax-oss': _lt("The tax “%(value)s” is for the one-stop shop (OSS), which is not supported yet."),
    'tax-unmapped': _lt(
        "The tax “%(value)s” has no tax grid from which the KSeF rate could be told (such as K_19 for 23 %%). Use"
        " a tax of the Polish chart, or give the tax its grids."),
    'tax-percent': _lt(
        "The percentage of the tax “%(value)s” doesn't fit its tax grids. KSeF knows no such rate there."),
    # split payment
    'split-payment': _lt(
        "The invoice is over 15,000 PLN with goods of %(value)s, so it must state split payment (mechanizm "
        "podzielonej płatności). That is not supported yet."),
    'split-payment-doubt': _lt(
        "The invoice is over 15,000 PLN. If it has goods or services of annex 15 to the VAT act, it must state "
        "split payment (mechanizm podzielonej płatności), which is not supported yet: don't send it then."),
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
}
