//! Builds and prints the OpenAPI document of `Api`. It must never change how a request is handled.

mod response_examples;

use std::{
    collections::HashMap,
    io::{self, Write as _},
    process::ExitCode,
};

use ess_service::{auth::SecuredApi, openapi::DocumentedApi};
use poem::{endpoint::BoxEndpoint, http::Method};
use poem_openapi::{
    LicenseObject, OpenApi, OpenApiService,
    registry::{MetaApi, Registry},
};

use self::response_examples::ResponseExamples;
use crate::api::Api;

const TITLE: &str = "ESS command-api";
const DESCRIPTION: &str = "Appends playback facts to Kafka, the log of ESS (Event Statistics Service). A 2xx response is sent \
only after Kafka has acknowledged the facts. Every path accepts a trailing slash. Every error is an RFC 9457 problem, including 404 \
for unknown paths and 405, with `Allow`, for unsupported methods. Read facts and statistics from the query-api.";

/// The service of `api`, with its document.
pub(crate) fn service<T: OpenApi>(
    api: T,
) -> OpenApiService<DocumentedApi<SecuredApi<T>, ResponseExamples>, ()> {
    OpenApiService::new(
        DocumentedApi::new(SecuredApi(api)),
        TITLE,
        env!("CARGO_PKG_VERSION"),
    )
    .description(DESCRIPTION)
    .license(LicenseObject::new("Apache-2.0").url("https://www.apache.org/licenses/LICENSE-2.0"))
}

/// Prints the document to standard output.
///
/// # Errors
/// When standard output cannot be written.
pub fn print() -> io::Result<ExitCode> {
    writeln!(io::stdout(), "{}", service(Documented).spec())?;
    Ok(ExitCode::SUCCESS)
}

/// The API without routes: it can be documented, but not called.
struct Documented;

type Routes = HashMap<String, HashMap<Method, BoxEndpoint<'static>>>;

impl OpenApi for Documented {
    fn meta() -> Vec<MetaApi> {
        Api::meta()
    }

    fn register(registry: &mut Registry) {
        Api::register(registry);
    }

    fn add_routes(self, _: &mut Routes) {}
}
