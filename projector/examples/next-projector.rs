//! A projector of a later version, for tests only: it has one more migration, which adds a column to the aggregates of a
//! playback and replaces the view that fills it. It must never be released.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use ess_projector::{app, config::Settings, replay};
use ess_schema::migrations::{GENERATION, Migration, SCHEMA, Schema};
use ess_service::config::{ConfigArgs, parse_arguments};

/// The expression of the added column, and the line of the view that it is inserted before.
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
    Replay(replay::ReplayOptions),
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

/// The migration: the existing view with one more column.
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
