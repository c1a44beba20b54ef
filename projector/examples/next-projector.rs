//! The projector of a later version, for tests: it knows one more change of a generation's tables, which adds a column to a
//! playback's aggregate and replaces the view that fills it. It is no part of what is shipped.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use ess_projector::{app, config::Settings, replay};
use ess_schema::migrations::{GENERATION, Migration, SCHEMA, Schema};
use ess_service::config::{ConfigArgs, parse_arguments};

/// What the column is computed by.
const LONGEST_STALL: &str = "max(e.stalled_ms) AS longest_stall_ms,\n    max(e.seq) AS max_seq,";

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    config: ConfigArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    Run,
    Replay(replay::Options),
}

fn main() -> ExitCode {
    let read = parse_arguments::<CommandLine, Settings>()
        .and_then(|line| Ok((line.config.load::<Settings>()?, line.command)));
    match read {
        Ok((settings, Some(Command::Run) | None)) => app::run(settings, next_schema()),
        Ok((settings, Some(Command::Replay(options)))) => {
            replay::run(&settings, next_schema(), &options)
        }
        Err(code) => code,
    }
}

fn next_schema() -> Schema {
    let change = Migration {
        number: GENERATION.len() as u32 + 1,
        name: "longest_stall",
        sql: longest_stall().leak(),
    };
    Schema {
        generation: [GENERATION, &[change]].concat().leak(),
        ..SCHEMA
    }
}

/// The view as it is, with one column more.
fn longest_stall() -> String {
    let statements = GENERATION.iter().flat_map(|change| change.sql.split(";\n"));
    let mut views = statements.filter(|text| text.contains("playbacks_state_mv TO"));
    let view = views.next().unwrap_or_default();
    let view = view.replace("max(e.seq) AS max_seq,", LONGEST_STALL);
    format!(
        "ALTER TABLE {{database}}.playbacks_state \
         ADD COLUMN IF NOT EXISTS longest_stall_ms SimpleAggregateFunction(max, UInt64);\n\
         DROP VIEW IF EXISTS {{database}}.playbacks_state_mv SYNC;\n{view};\n"
    )
}
