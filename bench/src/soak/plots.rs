//! The plots of a soak.

use ess_load::report::plot::{Plot, Series};

use super::windows::Window;

/// All plots with their file names.
pub(super) fn all(windows: &[Window]) -> [(&'static str, Plot); 3] {
    let line = |name: &str, value: fn(&Window) -> f64| Series {
        name: name.to_owned(),
        points: windows
            .iter()
            .map(|window| (window.at, value(window)))
            .collect(),
    };
    let plot = |title, unit, series| Plot {
        title,
        unit,
        series,
        marks: Vec::new(),
    };
    let latencies = vec![
        line("p50", |window| window.p50),
        line("p99", |window| window.p99),
    ];
    [
        (
            "soak-memory.svg",
            plot(
                "Memory of the command-api",
                "MiB",
                vec![line("resident", |window| window.memory)],
            ),
        ),
        (
            "soak-files.svg",
            plot(
                "Open files of the command-api",
                "handles",
                vec![line("open", |window| window.files)],
            ),
        ),
        (
            "soak-latency.svg",
            plot("Latency since the due time", "ms", latencies),
        ),
    ]
}
