"""Token ids of the LLaMA-2 vocabulary for the sentences that rating needs.

With them a published checkpoint is rated without a tokenizer at run time. They cover the built-in
prompts and the level words, nothing else; any other text needs the checkpoint's own tokenizer.
The ids are facts of the LLaMA-2 tokenizer, whose file has the SHA-256 below.
"""

from typing import Final

SIZE: Final = 32000
SHA256: Final = "9e556afd44213b6bd1be2b850ebbbd98f5481437a8021afaf58ee7fb1818d347"

_PIECES: Final[dict[str, tuple[int, ...]]] = {
    "</s>": (2,),
    " ": (29871,),
    "\n": (13,),
    ":": (29901,),
    "?": (29973,),
    ".": (29889,),
    "'s": (29915, 29879),
    " USER": (3148, 1001),
    " ASSISTANT": (319, 1799, 9047, 13566),
    "\nASSISTANT": (13, 22933, 9047, 13566),
    "\nCan": (13, 6028),
    "\nCould": (13, 23323),
    "\nHow": (13, 5328),
    "\nRate": (13, 19907),
    "\nWhat": (13, 5618),
    " How": (1128,),
    " Rate": (390, 403),
    " The": (450,),
    " about": (1048,),
    " acceptable": (22691,),
    " aesthetic": (263, 342, 29882, 7492),
    " aesthetics": (263, 342, 9188, 1199),
    " assess": (24809,),
    " average": (6588,),
    " bad": (4319,),
    " decent": (27189,),
    " do": (437,),
    " evaluate": (14707,),
    " excellent": (15129,),
    " fair": (6534,),
    " fine": (2691,),
    " for": (363,),
    " good": (1781,),
    " high": (1880,),
    " image": (1967,),
    " is": (338,),
    " judge": (16833,),
    " low": (4482,),
    " medium": (18350,),
    " moderate": (17768, 403),
    " of": (310,),
    " on": (373,),
    " opinion": (9426,),
    " picture": (7623,),
    " poor": (6460,),
    " quality": (11029,),
    " rate": (6554,),
    " rating": (21700,),
    " the": (278,),
    " think": (1348,),
    " this": (445,),
    " video": (4863,),
    " would": (723,),
    " you": (366,),
    " your": (596,),
}
_LONGEST: Final = max(map(len, _PIECES))


def encode(text: str) -> list[int] | None:
    """Return the ids of a chunk of text, without a start mark; None when it is not covered.

    >>> encode("\\nASSISTANT: The quality of the image is")
    [29871, 13, 22933, 9047, 13566, 29901, 450, 11029, 310, 278, 1967, 338]
    >>> encode("sharpness") is None
    True
    """
    rest = f" {text}"
    ids: list[int] = []
    while rest:
        sizes = range(min(_LONGEST, len(rest)), 0, -1)
        piece = next((rest[:size] for size in sizes if rest[:size] in _PIECES), None)
        if piece is None or (piece[-1].isalpha() and rest[len(piece) : len(piece) + 1].isalnum()):
            return None
        ids += _PIECES[piece]
        rest = rest[len(piece) :]
    return ids
