"""What every test beside another module of Odoo needs."""


def needs(test, model, module):
    """Skip ``test`` where ``module``, which brings ``model``, is not installed; dev/test installs it."""
    if model not in test.env:
        test.skipTest(f"the module {module} is not installed")
