"""The separate scheme's channel code: CRC, 5G NR LDPC and QAM, as TS 38.212 and TS 38.211 have them."""
