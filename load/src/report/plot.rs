//! A plot as SVG: lines over time, axes with units, a legend. Colours come from CSS classes, so that the page decides on light and
//! dark. Pure.

use std::fmt::Write as _;

use super::text::number;

/// A line.
#[derive(Debug, Clone)]
pub struct Series {
    /// Its name in the legend.
    pub name: String,
    /// x in seconds, y in the unit of the plot.
    pub points: Vec<(f64, f64)>,
}

/// A plot.
#[derive(Debug, Clone)]
pub struct Plot {
    /// The title.
    pub title: &'static str,
    /// The unit of y.
    pub unit: &'static str,
    /// The lines.
    pub series: Vec<Series>,
    /// Times to mark, in seconds.
    pub marks: Vec<f64>,
}

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 72.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 64.0;
const BOTTOM: f64 = 44.0;
/// The width of a letter in the legend, rounded up.
const LETTER: f64 = 7.4;

impl Plot {
    /// Whether it has data.
    pub(crate) fn has_points(&self) -> bool {
        self.series.iter().any(|series| !series.points.is_empty())
    }

    /// The SVG element, with colours of its own when it stands alone.
    pub fn svg(&self, stands_alone: bool) -> String {
        let mut svg = format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{} in {}">"#,
            self.title, self.unit
        );
        if stands_alone {
            let _ = write!(
                svg,
                "<style>{STYLE}{ALONE}</style><rect class=\"ground\" width=\"{WIDTH}\" height=\"{HEIGHT}\"/>"
            );
        }
        let _ = write!(
            svg,
            r#"<text class="title" x="{LEFT}" y="20">{} <tspan class="unit">in {}</tspan></text>"#,
            self.title, self.unit
        );
        let (x, y) = (self.x_axis(), self.y_axis());
        Self::write_axes(&mut svg, &x, &y);
        self.write_legend(&mut svg);
        for at in &self.marks {
            let at = x.scale(*at);
            let _ = write!(
                svg,
                r#"<line class="mark" x1="{at:.1}" x2="{at:.1}" y1="{TOP}" y2="{:.1}"/>"#,
                HEIGHT - BOTTOM
            );
        }
        for (number, series) in self.series.iter().enumerate() {
            let points = series
                .points
                .iter()
                .map(|(at, value)| format!("{:.1},{:.1}", x.scale(*at), y.scale(*value)));
            let points = points.collect::<Vec<_>>().join(" ");
            let _ = write!(svg, r#"<polyline class="s{number}" points="{points}"/>"#);
        }
        svg + "</svg>"
    }

    fn x_axis(&self) -> Axis {
        let all = self.series.iter().flat_map(|series| &series.points);
        let max = all.map(|(at, _)| *at).fold(1.0, f64::max);
        Axis {
            max,
            step: step(max, 8.0),
            from: LEFT,
            to: WIDTH - RIGHT,
        }
    }

    fn y_axis(&self) -> Axis {
        let all = self.series.iter().flat_map(|series| &series.points);
        let max = all.map(|(_, value)| *value).fold(0.0, f64::max);
        let max = if max > 0.0 { max } else { 1.0 };
        let step = step(max, 5.0);
        Axis {
            max: (max / step).ceil() * step,
            step,
            from: HEIGHT - BOTTOM,
            to: TOP,
        }
    }

    fn write_axes(svg: &mut String, x: &Axis, y: &Axis) {
        for value in y.ticks() {
            let at = y.scale(value);
            let _ = write!(
                svg,
                r#"<line class="grid" x1="{LEFT}" x2="{:.1}" y1="{at:.1}" y2="{at:.1}"/>"#,
                WIDTH - RIGHT
            );
            let _ = write!(
                svg,
                r#"<text class="tick" text-anchor="end" x="{:.1}" y="{:.1}">{}</text>"#,
                LEFT - 8.0,
                at + 4.0,
                number(value)
            );
        }
        for value in x.ticks() {
            let at = x.scale(value);
            let _ = write!(
                svg,
                r#"<text class="tick" text-anchor="middle" x="{at:.1}" y="{:.1}">{}</text>"#,
                HEIGHT - BOTTOM + 18.0,
                number(value)
            );
        }
        let _ = write!(
            svg,
            r#"<text class="tick" text-anchor="end" x="{:.1}" y="{:.1}">seconds after the start</text>"#,
            WIDTH - RIGHT,
            HEIGHT - 6.0
        );
        let base = HEIGHT - BOTTOM;
        let _ = write!(
            svg,
            r#"<line class="axis" x1="{LEFT}" x2="{:.1}" y1="{base}" y2="{base}"/>"#,
            WIDTH - RIGHT
        );
    }

    fn write_legend(&self, svg: &mut String) {
        let mut at = LEFT;
        for (number, series) in self.series.iter().enumerate() {
            let _ = write!(
                svg,
                r#"<line class="s{number} key" x1="{at:.1}" x2="{:.1}" y1="42" y2="42"/>"#,
                at + 18.0
            );
            let _ = write!(
                svg,
                r#"<text class="legend" x="{:.1}" y="46">{}</text>"#,
                at + 24.0,
                escape(&series.name)
            );
            at += 24.0 + LETTER * series.name.chars().count() as f64 + 20.0;
        }
    }
}

/// One axis, from 0.
#[derive(Debug)]
struct Axis {
    max: f64,
    step: f64,
    from: f64,
    to: f64,
}

impl Axis {
    fn scale(&self, value: f64) -> f64 {
        self.from + (self.to - self.from) * (value / self.max).clamp(0.0, 1.0)
    }

    fn ticks(&self) -> impl Iterator<Item = f64> {
        let (step, count) = (self.step, (self.max / self.step + 1e-9) as u32);
        (0..=count).map(move |number| f64::from(number) * step)
    }
}

/// 1, 2 or 5 times a power of ten, so that about `count` steps reach `max`.
fn step(max: f64, count: f64) -> f64 {
    let raw = max / count;
    let power = 10_f64.powf(raw.log10().floor());
    let factor = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .find(|factor| factor * power >= raw);
    factor.unwrap_or(10.0) * power
}

/// Escapes text for HTML and SVG.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// The CSS classes of a plot; the colours are variables. Colour-blind readers can distinguish them, too (Okabe and Ito, 2008).
pub(crate) const STYLE: &str = "\
.plot{font:13px system-ui,sans-serif}.plot .title{font-size:15px;font-weight:600;fill:var(--ink)}.plot .unit,.plot .tick{font-weight:400;font-size:12px;fill:var(--dim)}\
.plot .legend{fill:var(--ink);font-size:13px}.plot .grid{stroke:var(--grid)}.plot .axis{stroke:var(--dim)}.plot .mark{stroke:var(--bad);stroke-dasharray:4 3}\
.plot polyline{fill:none;stroke-width:1.6;stroke-linejoin:round}.plot .key{stroke-width:3}\
.plot .s0{stroke:var(--s0)}.plot .s1{stroke:var(--s1)}.plot .s2{stroke:var(--s2)}.plot .s3{stroke:var(--s3)}.plot .s4{stroke:var(--s4)}.plot .s5{stroke:var(--s5);stroke-dasharray:7 3}.plot .s6{stroke:var(--s6)}";

/// The colours of a plot that stands alone: those of the page (`html`), light or dark.
const ALONE: &str = concat!(
    "svg{--ground:#fff;--ink:#1b1f24;--dim:#57606a;--grid:#e4e8ec;--bad:#b3261e;--s0:#0072b2;--s1:#b85c00;--s2:#007a5a;--s3:#a3447a;--s4:#6b5b00;--s5:#3f7fbf;--s6:#555}",
    "@media(prefers-color-scheme:dark){svg{--ground:#14181d;--ink:#e6e9ed;--dim:#9aa4af;--grid:#2a313a;--bad:#ff8a80;--s0:#56b4e9;--s1:#e69f00;--s2:#2fc49a;--s3:#e08fbe;--s4:#f0e442;--s5:#9ecbff;--s6:#bbb}}",
    ".ground{fill:var(--ground)}"
);

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(values: &[f64]) -> Plot {
        let points = (0..).zip(values).map(|(at, value)| (f64::from(at), *value));
        Plot {
            title: "Latency",
            unit: "ms",
            series: vec![Series {
                name: "p<50".to_owned(),
                points: points.collect(),
            }],
            marks: vec![],
        }
    }

    #[test]
    fn ticks_are_round_and_reach_beyond_the_data() {
        for (max, expected) in [(7.0, 2.0), (0.03, 0.01), (4_321.0, 1_000.0), (100.0, 20.0)] {
            let axis = plot(&[0.0, max]).y_axis();
            assert!((axis.step - expected).abs() < 1e-9, "{max}: {}", axis.step);
            assert!(axis.max >= max && axis.ticks().last().unwrap() >= max);
        }
    }

    #[test]
    fn a_line_stays_within_its_frame_and_text_is_escaped() {
        let svg = plot(&[0.0, 5.0, 10.0]).svg(true);
        assert!(svg.contains("p&lt;50") && !svg.contains("p<50"));
        let line = svg
            .split("points=\"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap();
        for point in line.split(' ') {
            let (x, y) = point.split_once(',').unwrap();
            let (x, y): (f64, f64) = (x.parse().unwrap(), y.parse().unwrap());
            assert!((LEFT..=WIDTH - RIGHT).contains(&x) && (TOP..=HEIGHT - BOTTOM).contains(&y));
        }
    }

    #[test]
    fn a_plot_without_data_has_no_points() {
        assert!(!plot(&[]).has_points());
        assert!(plot(&[0.0]).svg(false).contains("polyline"));
    }
}
