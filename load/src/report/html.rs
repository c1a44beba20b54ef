//! The report as a self-contained HTML page: verdicts, figures, plots, and the configuration. Follows the reader's preference for a
//! light or dark page. Pure.

use std::fmt::Write as _;

use super::plot::{STYLE, escape};
use super::text::{differences, measured, number};
use super::{Quantiles, Report};

const PAGE: &str = "\
:root{color-scheme:light dark;--ground:#fff;--card:#f6f8fa;--ink:#1b1f24;--dim:#57606a;--grid:#d8dee4;--bad:#b3261e;--good:#116329;--s0:#0072b2;--s1:#b85c00;--s2:#007a5a;--s3:#a3447a;--s4:#6b5b00;--s5:#3f7fbf;--s6:#555}\
@media(prefers-color-scheme:dark){:root{--ground:#14181d;--card:#1c2229;--ink:#e6e9ed;--dim:#9aa4af;--grid:#2f3741;--bad:#ff8a80;--good:#7ee2a8;--s0:#56b4e9;--s1:#e69f00;--s2:#2fc49a;--s3:#e08fbe;--s4:#f0e442;--s5:#9ecbff;--s6:#bbb}}\
body{margin:0 auto;max-width:940px;padding:24px 20px 60px;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,sans-serif}\
h1{font-size:24px;margin:0 0 4px}h2{font-size:18px;margin:32px 0 8px}p{margin:6px 0}.dim{color:var(--dim)}\
.bad{color:var(--bad);font-weight:600}.good{color:var(--good);font-weight:600}\
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}th,td{text-align:left;padding:5px 10px 5px 0;border-bottom:1px solid var(--grid);vertical-align:top}\
th{font-weight:600}.n{text-align:right}td.n{white-space:nowrap}.wide{overflow-x:auto}\
.plot{display:block;width:100%;height:auto;background:var(--card);border-radius:8px;margin:12px 0}\
pre{background:var(--card);padding:12px;border-radius:8px;overflow-x:auto;font-size:13px}";

/// The page.
pub fn html(report: &Report) -> String {
    let mut page = String::new();
    let title = format!("{} · {}", escape(&report.name), escape(&report.test_id));
    let _ = write!(
        page,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title><style>{PAGE}{STYLE}</style></head><body>"
    );
    head(&mut page, report);
    verdicts(&mut page, report);
    figures(&mut page, report);
    check(&mut page, report);
    page.push_str("<h2>Over time</h2>");
    for (_, plot) in report.plots() {
        page.push_str(&plot.svg(false));
    }
    conditions(&mut page, report);
    page + "</body></html>\n"
}

fn head(page: &mut String, report: &Report) {
    let verdict = if report.is_green() {
        "<span class=\"good\">every threshold was met</span>"
    } else {
        "<span class=\"bad\">failed</span>"
    };
    let interrupted = if report.was_interrupted {
        ", ended by a signal"
    } else {
        ""
    };
    let _ = write!(
        page,
        "<h1>{}</h1><p>{}</p><p class=\"dim\">test {} · began {} · {:.1} s{interrupted}</p><p>{verdict}</p>",
        escape(&report.name),
        escape(&report.scenario.about),
        escape(&report.test_id),
        report.began,
        report.took_s
    );
}

fn verdicts(page: &mut String, report: &Report) {
    if report.verdicts.is_empty() {
        return;
    }
    page.push_str("<h2>Thresholds</h2><table><tr><th>threshold</th><th class=\"n\">measured</th><th>verdict</th></tr>");
    for verdict in &report.verdicts {
        let value = measured(verdict);
        let (class, word) = if verdict.held {
            ("good", "met")
        } else {
            ("bad", "not met")
        };
        let text = escape(&verdict.threshold);
        let _ = write!(
            page,
            "<tr><td>{text}</td><td class=\"n\">{value}</td><td class=\"{class}\">{word}</td></tr>"
        );
    }
    page.push_str("</table>");
}

fn figures(page: &mut String, report: &Report) {
    let totals = &report.totals;
    page.push_str("<h2>Figures</h2><table>");
    let counts = [
        ("requests", totals.requests),
        ("requests not fully acknowledged", totals.errors),
        ("facts", totals.facts),
        ("facts acknowledged", totals.acknowledged),
        ("facts refused", totals.refused),
        ("facts with unknown outcome", totals.unknown),
    ];
    for (name, count) in counts {
        row(page, name, &number(count as f64));
    }
    row(
        page,
        "acknowledged requests per second",
        &number(totals.rate),
    );
    row(
        page,
        "acknowledged facts per second",
        &number(totals.facts_rate),
    );
    if let Some(drain) = report.drain_ms {
        row(
            page,
            "last row after the last response",
            &format!("{} ms", number(drain)),
        );
    }
    let cpu = format!("{:.0} % of a core", report.generator.cpu_percent);
    row(page, "CPU of the generator", &cpu);
    for (class, count) in &report.statuses {
        row(page, &format!("responses {class}"), &number(*count as f64));
    }
    page.push_str("</table>");
    if let Some(reason) = &report.generator.bottleneck {
        let _ = write!(
            page,
            "<p class=\"bad\">The generator was the bottleneck: {}</p>",
            escape(reason)
        );
    }
    if let Some(reason) = &report.unread {
        let _ = write!(
            page,
            "<p class=\"bad\">The read model was not read: {}</p>",
            escape(reason)
        );
    }
    times(page, report);
    for (kind, problems) in &report.problems {
        let (kind, first) = (escape(kind), escape(&problems.first));
        let _ = write!(
            page,
            "<p><span class=\"bad\">{} × {kind}</span> <span class=\"dim\">{first}</span></p>",
            problems.count
        );
    }
}

fn row(page: &mut String, name: &str, value: &str) {
    let _ = write!(page, "<tr><td>{name}</td><td class=\"n\">{value}</td></tr>");
}

fn times(page: &mut String, report: &Report) {
    page.push_str("<div class=\"wide\"><table><tr><th>time in ms</th><th class=\"n\">p50</th><th class=\"n\">p95</th><th class=\"n\">p99</th><th class=\"n\">max</th></tr>");
    let mut line = |name: &str, values: [f64; 4]| {
        let cells = values.map(|value| format!("<td class=\"n\">{}</td>", number(value)));
        let _ = write!(page, "<tr><td>{name}</td>{}</tr>", cells.concat());
    };
    let of = |q: &Quantiles| [q.p50, q.p95, q.p99, q.max];
    line("requests", of(&report.latency));
    if let Some(reads) = &report.reads {
        line("questions", of(reads));
    }
    if let Some(late) = &report.generator.late {
        line("sent after they were due", of(late));
    }
    if let Some(lag) = &report.lag {
        line("ingest to store", [lag.p50, lag.p95, lag.p99, lag.max]);
    }
    page.push_str("</table></div>");
}

fn check(page: &mut String, report: &Report) {
    let Some(check) = &report.check else { return };
    page.push_str("<h2>Proof</h2>");
    let (facts, playbacks) = (number(check.facts as f64), number(check.playbacks as f64));
    let _ = write!(
        page,
        "<p>{facts} facts and {playbacks} playbacks compared with the read model.</p><table>"
    );
    for (what, found) in differences(check) {
        let ids: Vec<_> = found.ids.iter().take(20).map(|id| escape(id)).collect();
        let class = if found.count == 0 { "good" } else { "bad" };
        let count = number(found.count as f64);
        let _ = write!(
            page,
            "<tr><td>{what}</td><td class=\"n {class}\">{count}</td><td>{}</td></tr>",
            ids.join("<br>")
        );
    }
    let unknown = format!(
        "{} stored, {} not",
        check.unknown_stored, check.unknown_absent
    );
    let _ = write!(
        page,
        "<tr><td>outcome unknown</td><td></td><td>{unknown}</td></tr></table>"
    );
}

fn conditions(page: &mut String, report: &Report) {
    if !report.chaos.is_empty() {
        page.push_str("<h2>Faults</h2><table>");
        for fault in &report.chaos {
            let _ = write!(
                page,
                "<tr><td class=\"n\">{:.1} s</td><td>{}</td></tr>",
                fault.at_s,
                escape(&fault.what)
            );
        }
        page.push_str("</table>");
    }
    let scenario = serde_json::to_string_pretty(&report.scenario).unwrap_or_default();
    let _ = write!(
        page,
        "<h2>Machine</h2><p>{}</p><p class=\"dim\">ess-load {}</p><h2>Configuration</h2><pre>{}</pre>",
        escape(&report.machine.line()),
        escape(&report.machine.tool),
        escape(&scenario)
    );
}
