"""Other issuers whose tokens are taken, as the file of `ITR_EXTERNAL_ISSUERS` names them."""
