//! The size of a generation on disk. It must never write.

use clickhouse::error::Error;
use ess_service::{clickhouse::server_client, config::ClickHouseConfig};

/// The size of a generation's tables on disk, in bytes.
pub(super) async fn bytes_on_disk(
    config: &ClickHouseConfig,
    generation: u32,
) -> Result<u64, Error> {
    let query = "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = ?";
    let database = config.generation_database(generation);
    let query = server_client(config).query(query).bind(database);
    query.fetch_one().await
}
