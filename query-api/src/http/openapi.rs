//! The OpenAPI document of this API, and the service that poem-openapi makes of it. Each operation documents itself.

mod answers;

use std::sync::Arc;

use ess_service::{auth::SecuredApi, openapi::DocumentedApi};
use poem_openapi::{LicenseObject, OpenApiService};

use self::answers::Answers;
use super::{
    operation::Get,
    reader::Reader,
    routes::{
        GetEvents, GetLag, GetLive, GetPlayback, GetProjection, GetReport, GetRetention, GetTop,
        GetTrack, GetUser, ListEvents, ListPlaybacks,
    },
};

/// The operations, in the document's order.
type Operations = (
    Get<GetPlayback>,
    Get<ListPlaybacks>,
    Get<GetReport>,
    Get<GetTop>,
    Get<GetTrack>,
    Get<GetUser>,
    Get<GetRetention>,
    Get<GetLag>,
    Get<GetLive>,
    Get<ListEvents>,
    Get<GetEvents>,
    Get<GetProjection>,
);

const ABOUT: &str = "Answers questions about playbacks and events from the read model, a projection of the Kafka log.

Times are RFC 3339 in UTC with milliseconds; durations and media positions are in ms. Every error is `application/problem+json` (RFC 9457), including 404 for unknown paths and 405, with `Allow`, for unsupported methods. `HEAD` is supported wherever `GET` is. Answers are cached for a moment (`Cache-Control`, `Age`, `ETag`); `Ess-Watermark` says how fresh the read model was, and `?after=` waits until it includes what the caller wrote.";

/// The service: routes and document.
pub(crate) fn service(
    reader: &Arc<Reader>,
) -> OpenApiService<DocumentedApi<SecuredApi<Operations>, Answers>, ()> {
    let operations = (
        Get::new(reader),
        Get::new(reader),
        Get::new(reader),
        Get::new(reader),
        Get::new(reader),
        Get::new(reader),
        Get::new(reader),
        Get::new(reader),
        Get::new(reader),
        Get::new(reader),
        Get::new(reader),
        Get::new(reader),
    );
    let license =
        LicenseObject::new("Apache-2.0").url("https://www.apache.org/licenses/LICENSE-2.0");
    let apis = DocumentedApi::new(SecuredApi(operations));
    OpenApiService::new(apis, "ESS query-api", env!("CARGO_PKG_VERSION"))
        .description(ABOUT)
        .license(license)
}
