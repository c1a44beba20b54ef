//! A report is read as it was written, compared with its thresholds, and shown with everything that is wrong.

use super::*;
use crate::proof::Differences;

pub(crate) fn report() -> Report {
    let overrides =
        ["thresholds=[\"p95 < 100ms\", \"errors == 0\", \"lag_p99 < 500ms\"]".to_owned()];
    let latency = Quantiles {
        count: 10,
        p50: 2.0,
        p90: 5.0,
        p95: 8.25,
        p99: 20.0,
        p999: 30.0,
        max: 30.0,
    };
    let sample = |second: u32| Sample {
        at_s: f64::from(second),
        requests_per_s: 3_500.0,
        p50: 2.0,
        p95: 8.0,
        p99: f64::from(second) * 10.0,
        usage: BTreeMap::from([(
            "projector".to_owned(),
            Usage {
                cpu_percent: 12.0,
                rss_bytes: 50 << 20,
            },
        )]),
        ..Sample::default()
    };
    let mut report = Report {
        version: VERSION,
        name: "steady".to_owned(),
        scenario: Scenario::open("steady", &overrides).unwrap(),
        test_id: "t-1".to_owned(),
        began: "2026-11-23T10:00:00.000Z".to_owned(),
        took_s: 10.0,
        was_interrupted: false,
        machine: Machine::default(),
        totals: Totals {
            requests: 10,
            ..Totals::default()
        },
        latency,
        reads: None,
        statuses: BTreeMap::from([("2xx".to_owned(), 10)]),
        problems: BTreeMap::new(),
        generator: Generator::default(),
        lag: None,
        drain_ms: None,
        check: Some(Check::default()),
        unread: None,
        chaos: Vec::new(),
        samples: (1..5).map(sample).collect(),
        verdicts: Vec::new(),
    };
    report.judge();
    report
}

#[test]
fn a_threshold_on_a_metric_that_was_not_measured_is_not_met() {
    let report = report();
    let held: Vec<_> = report.verdicts.iter().map(|verdict| verdict.held).collect();
    assert_eq!(held, [true, true, false]);
    assert!(!report.is_green());
    assert!(
        report
            .to_string()
            .contains("NOT MET lag_p99 < 500ms (not measured)")
    );
}

#[test]
fn a_problem_is_shown_with_the_detail_of_the_first_of_its_kind() {
    let mut report = report();
    let problems = |first: &str| Problems {
        count: 2,
        first: first.to_owned(),
        is_refusal: false,
    };
    report.problems = BTreeMap::from([
        ("503 /problems/overloaded".to_owned(), problems("full")),
        ("no connection".to_owned(), problems("")),
    ]);
    let shown = report.to_string();
    assert!(
        shown.contains("  2: 503 /problems/overloaded; first: full\n"),
        "{shown}"
    );
    assert!(shown.contains("  2: no connection\n"), "{shown}");
}

#[test]
fn a_difference_fails_a_run_whose_thresholds_are_met() {
    let mut report = report();
    report.scenario.thresholds.clear();
    report.judge();
    assert!(report.is_green());
    report.check = Some(Check {
        lost: Differences {
            count: 1,
            ids: vec!["event-7".to_owned()],
        },
        ..Check::default()
    });
    assert!(!report.is_green());
    assert!(report.to_string().contains("lost: event-7"));
    assert!(html(&report).contains("event-7"));
    report.check = None;
    assert!(
        !report.is_green(),
        "a proof that was requested and not made"
    );
}

#[test]
fn a_report_is_read_as_it_was_written_and_another_version_is_refused() {
    let folder = std::env::temp_dir().join(format!("ess-load-report-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let (file, other) = (folder.join("a.json"), folder.join("b.json"));
    let report = report();
    fs::write(&file, report.json()).unwrap();
    assert_eq!(Report::read(&file).unwrap().json(), report.json());
    fs::write(
        &other,
        report
            .json()
            .replacen("\"version\": 1", "\"version\": 9", 1),
    )
    .unwrap();
    let refused = Report::read(&other).unwrap_err().to_string();
    write_docs(&report, &folder).unwrap();
    let fragment = fs::read_to_string(folder.join("steady.md")).unwrap();
    fs::remove_dir_all(&folder).unwrap();
    assert!(refused.contains("version 9"), "{refused}");
    assert!(
        fragment.contains("| p95 < 100ms | 8.2 ms | yes |"),
        "{fragment}"
    );
    assert!(fragment.contains("(steady-latency.svg)"), "{fragment}");
}

#[test]
fn a_comparison_shows_each_figure_and_other_differences() {
    let (before, mut after) = (report(), report());
    after.latency.p95 = 16.5;
    after.scenario.batch = 10;
    let text = compare(&before, &after).to_string();
    assert!(text.contains("+100.0 %"), "{text}");
    assert!(text.contains("differs: batch: 1 | 10"), "{text}");
}

#[test]
fn the_page_is_self_contained() {
    let page = html(&report());
    for outside in ["src=", "href=", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(page.matches("<svg").count() >= 4);
}
