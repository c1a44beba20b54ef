//! The options of `ess-load run`: the scenario, and whatever of it is to be otherwise.

use std::path::PathBuf;

use clap::Parser;

use crate::error::Error;
use crate::read_model::Access;
use crate::scenario::{Chaos, Scenario, Victim};
use crate::usage::Pids;

/// Run a scenario, prove that nothing was lost, and report.
#[derive(Debug, Parser)]
#[command(args_override_self = true)]
pub(crate) struct Args {
    /// A scenario's name (predecessor, predecessor-small, steady, ramp, spike, soak, players, batch, mixed), or the path of a TOML
    /// file.
    #[arg(value_name = "SCENARIO")]
    name: String,
    /// Any field of the scenario otherwise, such as `stages.0.rate=500` or `thresholds=["p95 < 100ms"]`; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    /// The command-api to send to.
    #[arg(long, value_name = "URL", env = "ESS_LOAD_COMMAND_API")]
    url: Option<String>,
    /// The query-api to ask.
    #[arg(long, value_name = "URL", env = "ESS_LOAD_QUERY_API")]
    query_url: Option<String>,
    /// The projector, whose metrics tell its backlog.
    #[arg(long, value_name = "URL", env = "ESS_LOAD_PROJECTOR")]
    projector_url: Option<String>,
    /// ClickHouse, where lag and proof are read.
    #[arg(long, value_name = "URL", env = "CLICKHOUSE_URL")]
    clickhouse_url: Option<String>,
    /// The control database of the read model.
    #[arg(long, value_name = "NAME", env = "CLICKHOUSE_DATABASE")]
    database: Option<String>,
    #[command(flatten)]
    access: Access,
    /// Marks every fact of the run.
    #[arg(long, value_name = "ID")]
    test_id: Option<String>,
    /// Do not hold the read model against what was sent.
    #[arg(long)]
    no_check: bool,
    /// Kill and restart processes of the stack in the run directory while it runs.
    #[arg(long)]
    chaos: bool,
    /// Who may be hit, separated by commas; by default all of them.
    #[arg(
        long,
        value_name = "NAMES",
        value_enum,
        value_delimiter = ',',
        requires = "chaos"
    )]
    victims: Vec<Victim>,
    /// What the order of blows comes from.
    #[arg(long, value_name = "S", requires = "chaos")]
    chaos_seed: Option<u64>,
    /// Where `cargo xtask up` keeps its pid files.
    #[arg(long, value_name = "DIR", env = "ESS_RUN_DIR", default_value = ".run")]
    run_dir: PathBuf,
    /// A process whose CPU and memory are reported, beside those of the run directory; may be repeated.
    #[arg(long = "pid", value_name = "NAME=PID", value_parser = named_pid)]
    pids: Vec<(String, i32)>,
    /// Write the report as JSON to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Write the report as one HTML page to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Write the report as Markdown with SVG plots into this folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) docs: Option<PathBuf>,
}

impl Args {
    /// What was asked for.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn access(&self) -> Access {
        self.access.clone()
    }

    /// The scenario, overrides and options applied.
    pub(super) fn scenario(&self) -> Result<Scenario, Error> {
        let mut overrides = self.overrides.clone();
        let urls = [
            ("targets.command_api", &self.url),
            ("targets.query_api", &self.query_url),
            ("targets.projector", &self.projector_url),
            ("targets.clickhouse", &self.clickhouse_url),
            ("targets.database", &self.database),
            ("test_id", &self.test_id),
        ];
        for (field, value) in urls {
            overrides.extend(value.as_ref().map(|value| format!("{field}={value:?}")));
        }
        if self.no_check {
            overrides.push("check=false".to_owned());
        }
        let mut scenario = Scenario::open(&self.name, &overrides).map_err(Error::Scenario)?;
        if self.no_check {
            let of_check = ["lost", "twice", "claimed", "different"];
            scenario
                .thresholds
                .retain(|threshold| !of_check.contains(&threshold.metric()));
        }
        if self.chaos {
            let chaos = scenario.chaos.get_or_insert_with(Chaos::default);
            if !self.victims.is_empty() {
                chaos.victims.clone_from(&self.victims);
            }
            chaos.seed = self.chaos_seed.unwrap_or(chaos.seed);
        }
        Ok(scenario)
    }

    /// Which processes are watched.
    pub(super) fn pids(&self) -> Pids {
        Pids {
            run_dir: Some(self.run_dir.clone()),
            given: self.pids.clone(),
        }
    }
}

fn named_pid(text: &str) -> Result<(String, i32), String> {
    let parsed = text
        .split_once('=')
        .and_then(|(name, pid)| Some((name.to_owned(), pid.parse().ok()?)));
    parsed.ok_or_else(|| "must be NAME=PID".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenario(options: &[&str]) -> Result<Scenario, Error> {
        let args = Args::try_parse_from(["run", "steady"].iter().chain(options)).unwrap();
        args.scenario()
    }

    #[test]
    fn options_are_overrides_by_another_name() {
        let found = scenario(&[
            "--set",
            "stages.0.rate=7",
            "--url",
            "http://a:1",
            "--test-id",
            "t",
        ]);
        let found = found.unwrap();
        assert_eq!(found.stages[0].rate, Some(7.0));
        assert_eq!(found.targets.command_api, "http://a:1");
        assert_eq!(found.test_id.as_deref(), Some("t"));
        assert!(found.check && found.chaos.is_none());
        assert!(scenario(&["--url", "ftp://a"]).is_err());
    }

    #[test]
    fn without_a_check_nothing_of_it_is_judged() {
        let found = scenario(&["--no-check"]).unwrap();
        assert!(!found.check);
        assert!(found.thresholds.iter().all(|t| t.metric() != "lost"));
        assert!(found.thresholds.iter().any(|t| t.metric() == "errors"));
    }

    #[test]
    fn chaos_is_of_whom_it_is_told() {
        let found = scenario(&[
            "--chaos",
            "--victims",
            "kafka,projector",
            "--chaos-seed",
            "9",
        ]);
        let chaos = found.unwrap().chaos.unwrap();
        assert_eq!(chaos.victims, [Victim::Kafka, Victim::Projector]);
        assert_eq!(chaos.seed, 9);
        assert!(Args::try_parse_from(["run", "steady", "--victims", "kafka"]).is_err());
    }
}
