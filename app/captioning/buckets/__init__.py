"""``glassbot caption`` for addresses such as ``s3://…``, in this process or by Ray: a part of the answers at a time."""
