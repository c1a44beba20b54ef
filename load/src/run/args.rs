//! The options of `ess-load run`: a scenario, and overrides of its fields.

use std::path::PathBuf;

use clap::Parser;

use crate::error::Error;
use crate::read_model::Access;
use crate::scenario::{Chaos, Scenario, Victim};
use crate::usage::Pids;

/// Run a scenario, prove that nothing was lost, and report.
#[derive(Debug, Parser)]
#[command(args_override_self = true)]
pub(crate) struct RunArgs {
    /// A built-in scenario (predecessor, predecessor-small, steady, ramp, spike, soak, players, batch, mixed), or the path of a
    /// TOML file.
    #[arg(value_name = "SCENARIO")]
    name: String,
    /// Override a field of the scenario, such as `stages.0.rate=500` or `thresholds=["p95 < 100ms"]`. Repeatable.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    /// URL of the command-api.
    #[arg(long, value_name = "URL", env = "ESS_LOAD_COMMAND_API")]
    url: Option<String>,
    /// URL of the query-api.
    #[arg(long, value_name = "URL", env = "ESS_LOAD_QUERY_API")]
    query_url: Option<String>,
    /// URL of the projector, whose metrics report its lag.
    #[arg(long, value_name = "URL", env = "ESS_LOAD_PROJECTOR")]
    projector_url: Option<String>,
    /// URL of ClickHouse, for lag and proof.
    #[arg(long, value_name = "URL", env = "CLICKHOUSE_URL")]
    clickhouse_url: Option<String>,
    /// Control database of the read model.
    #[arg(long, value_name = "NAME", env = "CLICKHOUSE_DATABASE")]
    database: Option<String>,
    #[command(flatten)]
    access: Access,
    /// Test id of every fact of the run. By default made of the scenario's name and the time.
    #[arg(long, value_name = "ID")]
    test_id: Option<String>,
    /// Skip the proof.
    #[arg(long)]
    no_check: bool,
    /// Kill and restart processes of the stack in the run directory during the run.
    #[arg(long)]
    chaos: bool,
    /// Processes to kill, separated by commas. By default all of them.
    #[arg(
        long,
        value_name = "NAMES",
        value_enum,
        value_delimiter = ',',
        requires = "chaos"
    )]
    victims: Vec<Victim>,
    /// Seed of the times and the order of the kills.
    #[arg(long, value_name = "S", requires = "chaos")]
    chaos_seed: Option<u64>,
    /// Folder of the pid files of `cargo xtask up`.
    #[arg(long, value_name = "DIR", env = "ESS_RUN_DIR", default_value = ".run")]
    run_dir: PathBuf,
    /// Report CPU and memory of this process, too. Repeatable.
    #[arg(long = "pid", value_name = "NAME=PID", value_parser = named_pid)]
    pids: Vec<(String, i32)>,
    /// Write the report as JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Write the report as a self-contained HTML page.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Write the report as Markdown with SVG plots.
    #[arg(long, value_name = "DIR")]
    pub(crate) docs: Option<PathBuf>,
}

impl RunArgs {
    /// The name or path of the scenario.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn access(&self) -> Access {
        self.access.clone()
    }

    /// The scenario with overrides and options applied.
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
        let mut scenario = Scenario::open(&self.name, &overrides)?;
        if self.no_check {
            let of_proof = ["lost", "twice", "claimed", "different"];
            scenario
                .thresholds
                .retain(|threshold| !of_proof.contains(&threshold.metric()));
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

    /// The processes whose usage is reported.
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
    parsed.ok_or_else(|| "expected NAME=PID".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenario(options: &[&str]) -> Result<Scenario, Error> {
        let args = RunArgs::try_parse_from(["run", "steady"].iter().chain(options)).unwrap();
        args.scenario()
    }

    #[test]
    fn options_override_fields_of_the_scenario() {
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
    fn without_a_proof_its_thresholds_are_dropped() {
        let found = scenario(&["--no-check"]).unwrap();
        assert!(!found.check);
        assert!(found.thresholds.iter().all(|t| t.metric() != "lost"));
        assert!(found.thresholds.iter().any(|t| t.metric() == "errors"));
    }

    #[test]
    fn chaos_kills_the_victims_that_are_given() {
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
        assert!(RunArgs::try_parse_from(["run", "steady", "--victims", "kafka"]).is_err());
    }
}
