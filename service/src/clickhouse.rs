//! The client of the read model, its numbered schema changes and its generations. What the tables mean is not known here.

mod error;
mod generations;
mod lock;
mod migrate;
mod states;

pub use self::{
    error::{ReadModelError, error_code, is_missing},
    generations::{
        TargetGeneration, active_generation, begin_generation, begin_handover, discard_generation,
        ensure_active, generations, promote, retire_generation, target_generation, unfinished,
    },
    lock::{LOCK_LEASE_SECONDS, Lock, REBUILD_LOCK},
    migrate::migrate,
    states::{GenerationInfo, GenerationState},
};
use clickhouse::{Client, Compression};

use crate::config::ClickHouseConfig;

/// A client of the server as a whole, of no database.
pub fn server_client(config: &ClickHouseConfig) -> Client {
    let client = Client::default()
        .with_url(&config.url)
        .with_user(&config.user)
        .with_compression(Compression::Lz4);
    match config.password.expose() {
        "" => client,
        password => client.with_password(password),
    }
}

/// A client of the control database.
pub fn control_client(config: &ClickHouseConfig) -> Client {
    server_client(config).with_database(&config.database)
}

/// A client of one generation's database.
pub fn generation_client(config: &ClickHouseConfig, generation: u32) -> Client {
    server_client(config).with_database(config.generation_database(generation))
}
