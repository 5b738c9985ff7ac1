"""What a picture is, in one place for serving, captions and training: its kind, its pixels, upright RGB of 8 bits.

:func:`model.pictures.opening.open_picture` opens bytes, :func:`model.pictures.upright.upright_rgb` makes pixels of
them. docs/formats.md says what comes of which kind.
"""
