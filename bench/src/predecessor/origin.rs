//! The predecessor's own figures from its load test log, beside those of ESS. They are of different machines, which the table names.

use comfy_table::Table;
use ess_load::report::Report;

use crate::report::{table, thousands};

/// Its last run, number 12, in a cloud: up to 3,500 users for 3m30s. The machine sizes are not documented; planned were 8 to 16 cores
/// with 32 to 64 GiB for the system, and 4 to 8 cores for the generator.
const CLOUD: [&str; 9] = [
    "1,952,643",
    "9,282",
    "195.8",
    "418.6",
    "0",
    "476,000",
    "821,000",
    "852,000",
    "0 / 0",
];
/// Its run number 9, with everything on one machine, whose size is not documented.
const LOCAL: [&str; 9] = [
    "153,566",
    "715",
    "2,100",
    "5,830",
    "212",
    "1,031,000",
    "2,009,000",
    "2,110,000",
    "– / seen",
];
const ROWS: [&str; 9] = [
    "requests",
    "requests/s",
    "latency p50, ms",
    "latency p95, ms",
    "errors",
    "ingest to store p50, ms",
    "ingest to store p95, ms",
    "ingest to store p99, ms",
    "lost / twice",
];

/// The table of all figures.
pub(super) fn comparison(predecessor: &Report, steady: &Report) -> Table {
    let mut table = table(&[
        "up to 3,500 users, 3m30s",
        "predecessor, cloud (its run 12)",
        "predecessor, one machine (its run 9)",
        "ESS, the same scenario",
        "ESS, 3,500/s steady",
    ]);
    let (same, steady) = (column(predecessor), column(steady));
    for (at, name) in ROWS.into_iter().enumerate() {
        table.add_row([name, CLOUD[at], LOCAL[at], &same[at], &steady[at]]);
    }
    table
}

fn column(report: &Report) -> [String; 9] {
    let lag = |value: fn(&ess_load::report::Lag) -> f64| {
        report
            .lag
            .as_ref()
            .map_or("–".to_owned(), |lag| thousands(value(lag)))
    };
    let check = report.check.as_ref();
    [
        thousands(report.totals.requests as f64),
        thousands(report.totals.rate),
        format!("{:.1}", report.latency.p50),
        format!("{:.1}", report.latency.p95),
        thousands(report.totals.errors as f64),
        lag(|lag| lag.p50),
        lag(|lag| lag.p95),
        lag(|lag| lag.p99),
        check.map_or("– / –".to_owned(), |check| {
            format!("{} / {}", check.lost.count, check.twice.count)
        }),
    ]
}
