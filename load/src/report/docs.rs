//! A report for docs/LOAD-TESTS.md: a fragment of Markdown and its plots, named after the scenario. Writes files, and nothing else.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::text::{number, unit};
use super::{Report, ReportError};

/// Plots that say where the bottleneck is; the page has all.
const TOLD: [&str; 4] = ["throughput", "latency", "lag", "cpu"];

/// Writes `NAME.md` and `NAME-PLOT.svg` into `folder`.
///
/// # Errors
/// A folder that cannot be written.
pub fn write_docs(report: &Report, folder: &Path) -> Result<(), ReportError> {
    let name = Path::new(&report.name).file_stem();
    let name = name.map_or("run".into(), |name| name.to_string_lossy().into_owned());
    let write = |file: String, text: &str| {
        let path = folder.join(file);
        let failed = |source| ReportError::File {
            path: path.display().to_string(),
            source,
        };
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&path, text))
            .map_err(failed)
    };
    let mut plots = Vec::new();
    for (plot, drawn) in report
        .plots()
        .into_iter()
        .filter(|(plot, _)| TOLD.contains(plot))
    {
        let file = format!("{name}-{plot}.svg");
        write(file.clone(), &(drawn.svg(true) + "\n"))?;
        plots.push((drawn.title, file));
    }
    write(format!("{name}.md"), &markdown(report, &plots))
}

fn markdown(report: &Report, plots: &[(&str, String)]) -> String {
    let mut text = format!(
        "<!-- Written by ess-load run {} --docs; not by hand. -->\n### {}\n\n{}\n\nBegan {}, {:.0} s, on {}.\n\n",
        report.name,
        report.name,
        report.scenario.about,
        report.began,
        report.took_s,
        report.machine.line()
    );
    text.push_str("| threshold | measured | held |\n|---|---:|---|\n");
    for verdict in &report.verdicts {
        let value = verdict.value.map_or("not measured".to_owned(), |value| {
            format!("{}{}", number(value), unit(&verdict.threshold))
        });
        let held = if verdict.held { "yes" } else { "**no**" };
        let _ = writeln!(text, "| {} | {value} | {held} |", verdict.threshold);
    }
    text.push_str("\n| ms | p50 | p95 | p99 | max |\n|---|---:|---:|---:|---:|\n");
    let mut line = |name: &str, values: [f64; 4]| {
        let [p50, p95, p99, max] = values.map(number);
        let _ = writeln!(text, "| {name} | {p50} | {p95} | {p99} | {max} |");
    };
    let latency = &report.latency;
    line(
        "requests",
        [latency.p50, latency.p95, latency.p99, latency.max],
    );
    if let Some(lag) = &report.lag {
        line("ingest to store", [lag.p50, lag.p95, lag.p99, lag.max]);
    }
    let _ = writeln!(
        text,
        "\n{} requests, {} acknowledged requests/s, {} not fully acknowledged.",
        number(report.totals.requests as f64),
        number(report.totals.rate),
        number(report.totals.errors as f64)
    );
    for (title, file) in plots {
        let _ = writeln!(text, "\n![{title}]({file})");
    }
    text
}
