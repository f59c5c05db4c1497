"""All sections of a report as Markdown: what the page says, in a form that tests can read."""

from trimtab.report.blocks import FigureBlock, TableBlock


def whole(sections):
    """Sections as Markdown, one after another; charts, which answer to selectors, are left out."""
    parts = []
    for section in sections:
        level = "###" if section.test is not None and section.key != "scores" else "##"
        parts += [f"{level} {section.title}", *(_shown(block) for block in section.blocks)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _shown(block):
    if isinstance(block, str):
        return block
    if isinstance(block, TableBlock):
        return block.table.markdown()
    if isinstance(block, FigureBlock):
        return f"![{block.words}](figures/{block.name}.svg)"
    return ""
