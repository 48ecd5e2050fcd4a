"""Scripts for the page: what sticks out of an element, and what cannot be read in it."""

STICKS_OUT = """(root) => {
    const edge = root.getBoundingClientRect().right + 1;
    const inScroller = (one) => {
        for (let up = one.parentElement; up !== root; up = up.parentElement)
            if (["auto", "scroll", "hidden"].includes(getComputedStyle(up).overflowX)) return true;
        return false;
    };
    return [...root.querySelectorAll("*")].filter((one) => {
        const box = one.getBoundingClientRect();
        return one.checkVisibility() && box.width && box.right > edge && !inScroller(one);
    }).map((one) => `${one.tagName}.${one.className} ends at ` +
        `${one.getBoundingClientRect().right}, not ${edge}`);
}"""
# The contrast of every text that is switched on against what is behind it, after WCAG 2.
CONTRASTS = """(root) => {
    const parsed = (css) => css.match(/[\\d.]+/g).map(Number);
    const light = (rgb) => {
        const [r, g, b] = rgb.slice(0, 3).map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92
            : ((c / 255 + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (one) => {
        for (let up = one; up; up = up.parentElement) {
            const color = parsed(getComputedStyle(up).backgroundColor);
            if (color.length < 4 || color[3] === 1) return color;
        }
        return [255, 255, 255];
    };
    const found = [];
    for (const one of root.querySelectorAll("*")) {
        const own = [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
        if (!own || !one.checkVisibility() || one.closest(".wnb-stage, .wnb-off, :disabled"))
            continue;
        if (one.closest("[aria-pressed=false], label:has(:disabled)")) continue;
        const [a, b] = [parsed(getComputedStyle(one).color), behind(one)].map(light);
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        const label = `${one.className || one.tagName} "${one.textContent}"`;
        if (ratio < 3.5) found.push(`${label}: ${ratio.toFixed(1)}`);
    }
    return found;
}"""
