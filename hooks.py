def post_init_hook(env):
    """Create the pool of workers in the size that the system parameter asks for."""
    env['ksef.worker']._adjust_pool()
