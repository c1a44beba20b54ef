//! Clients of ClickHouse, the migrations of its schema, and the generations of the read model. It must not know what the
//! tables mean.

mod error;
mod generations;
mod lock;
mod migrate;
mod server_error;
mod states;

pub use self::{
    error::ReadModelError,
    generations::{
        TargetGeneration, active_generation, begin_generation, begin_handover, discard_generation,
        ensure_active, generations, promote, retire_generation, target_generation, unfinished,
    },
    lock::{LOCK_LEASE_SECONDS, Lock, LockError, REBUILD_LOCK},
    migrate::{MigrationError, migrate},
    server_error::{error_code, is_missing},
    states::{GenerationInfo, GenerationState},
};
use clickhouse::{Client, Compression};

use crate::config::ClickHouseConfig;

/// A client without a database.
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

/// A client of the database of one generation.
pub fn generation_client(config: &ClickHouseConfig, generation: u32) -> Client {
    server_client(config).with_database(config.generation_database(generation))
}
