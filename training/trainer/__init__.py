"""Training, in the order in which it is best read.

``plan`` is what a run learns, ``state`` what a step changes, ``step`` one update. A step is made of ``batch`` (with
``sources`` and ``augment``), ``losses`` (with ``distillation``), ``optim`` and ``schedule``; ``resize`` and
``warm_start`` give a network the weights of another. ``loop`` goes from the first step to the last: it logs to
``console`` and ``tensorboard``, takes a ``snapshot`` at each evaluation and writes into the ``run_folder``.
"""
