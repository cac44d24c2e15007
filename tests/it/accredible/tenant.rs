//! A platform on which three of Docebo's assumed calls look quite different.
//!
//! In: the address of Docebo's stand-in. Out: an address that answers as this platform does.
//! Always true: everything that is not different goes through as it is; the assumed calls in their
//! usual form are gone (410).

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// The connector's file that describes it: only what is different.
pub(super) const CONNECTOR: &str = r#"
actions:
  list_external_trainings:
    title: List the records of a person
    effect: read
    provenance: observed
    input: { user_id: integer, course_name: string? }
    request:
      get: "/transcripts/v2/people/{{input.user_id}}/records"
    pages: { by: offset, send: query.from, size: { send: query.most, value: 20 }, total: $.reply.body.all }
    items: $.reply.body.records
    output:
      external_training_id: { type: integer, from: "{{to_integer (replace item.key 'TR-' '')}}" }
      user_id: { type: integer, from: $.item.person }
      course_name: { type: string?, from: $.item.title }
      ended_on: { type: date?, from: $.item.took_place.until }

  create_external_training:
    title: Write a record
    effect: once
    provenance: observed
    input: { user_id: integer, course_name: string, institute: string, started_on: date?, ended_on: date }
    request:
      post: /transcripts/v2/records
      body:
        record:
          person: $.input.user_id
          title: $.input.course_name
          provider: { name: $.input.institute }
          took_place: { from: $.input.started_on?, until: $.input.ended_on }
    replies:
      - { status: 451, verdict: fail, code: not_activated }
    output:
      external_training_id: { type: integer, from: "{{to_integer (replace reply.body.key 'TR-' '')}}" }
    verify:
      action: list_external_trainings
      with: { user_id: $.input.user_id }
      pick:
        $.item.course_name?: { equals: $.input.course_name }
        $.item.ended_on?: { equals: $.input.ended_on }
      output: { external_training_id: $.verify.picked.external_training_id }
      settle: 10s
      tries: 4

  update_external_training:
    title: Revise a record
    effect: repeatable
    provenance: observed
    input:
      external_training_id: integer
      course_name: string
      institute: string
      started_on: date?
      ended_on: date
    request:
      post: "/transcripts/v2/records/TR-{{input.external_training_id}}/revise"
      body:
        title: $.input.course_name
        provider: { name: $.input.institute }
        took_place: { from: $.input.started_on?, until: $.input.ended_on }
    replies:
      - status: 2xx
        when: { $.reply.body.result: { equals: no such record } }
        verdict: absent
    output: {}

  award_certification:
    title: Give a certificate to a person
    effect: once
    provenance: observed
    input: { certification_id: integer, user_id: integer, issued_on: date, expires_on: date?, link: string? }
    request:
      put: "/people/{{input.user_id}}/certificates/{{input.certification_id}}"
      form: { from: $.input.issued_on, until: $.input.expires_on?, proof: $.input.link? }
    replies:
      - status: 2xx
        when: { $.reply.body.given: { is: false } }
        verdict: fail
        code: refused
        message: $.reply.body.why
    output: {}
    verify:
      action: list_user_awards
      with: { user_id: $.input.user_id }
      pick:
        $.item.certification_id: { equals: $.input.certification_id }
        $.item.issued_on?: { equals: $.input.issued_on }
      output: {}
      settle: 10s
      tries: 4
"#;

struct Tenant {
    docebo: String,
    http: reqwest::Client,
}

/// Opens the platform before Docebo's stand-in; its address.
pub(super) async fn open(docebo: &str) -> String {
    let tenant = Tenant {
        docebo: docebo.to_owned(),
        http: reqwest::Client::builder()
            .no_proxy()
            .build()
            .expect("a client"),
    };
    let router = Router::new().fallback(answer).with_state(Arc::new(tenant));
    let door = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = door.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(door, router).await });
    format!("http://{address}")
}

/// One request: translated where the platform differs, passed on otherwise.
async fn answer(
    State(tenant): State<Arc<Tenant>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let parts: Vec<&str> = uri.path().trim_start_matches('/').split('/').collect();
    let said = || serde_json::from_slice::<Value>(&body).expect("JSON");
    match (method.as_str(), &parts[..]) {
        (_, ["learn", "v1", "external_training", ..])
        | ("POST", ["certification", "v1", "certifications", _, "awards"]) => {
            (StatusCode::GONE, "this platform does not know that").into_response()
        }
        ("POST", ["transcripts", "v2", "records"]) => {
            let record = &said()["record"];
            let body = json!({
                "user_id": record["person"], "course_name": record["title"], "status": "approved",
                "training_institute": record["provider"]["name"],
                "from_date": record["took_place"]["from"], "to_date": record["took_place"]["until"],
            });
            let path = "/learn/v1/external_training";
            tenant
                .translate(&headers, Method::POST, path, body, |data| {
                    (
                        StatusCode::CREATED,
                        json!({ "key": format!("TR-{}", data["id"]) }),
                    )
                })
                .await
        }
        ("POST", ["transcripts", "v2", "records", key, "revise"]) => {
            let said = said();
            let body = json!({
                "course_name": said["title"], "training_institute": said["provider"]["name"],
                "from_date": said["took_place"]["from"], "to_date": said["took_place"]["until"],
            });
            let path = format!(
                "/learn/v1/external_training/{}",
                key.trim_start_matches("TR-")
            );
            tenant
                .translate(&headers, Method::PUT, &path, body, |data| {
                    match data.is_null() {
                        true => (StatusCode::OK, json!({ "result": "no such record" })),
                        false => (StatusCode::OK, json!({ "result": "revised" })),
                    }
                })
                .await
        }
        ("GET", ["transcripts", "v2", "people", user, "records"]) => {
            let path = format!("/learn/v1/external_training?page_size=200&user_id[]={user}");
            tenant
                .translate(&headers, Method::GET, &path, Value::Null, |data| {
                    let items = data["items"].as_array().cloned().unwrap_or_default();
                    let record = |item: &Value| {
                        json!({
                            "key": format!("TR-{}", item["training_id"]), "person": item["user_id"],
                            "title": item["course_name"],
                            "took_place": { "from": item["from_date"], "until": item["to_date"] },
                        })
                    };
                    let records: Vec<Value> = items.iter().map(record).collect();
                    (
                        StatusCode::OK,
                        json!({ "all": records.len(), "records": records }),
                    )
                })
                .await
        }
        ("PUT", ["people", user, "certificates", certification]) => {
            let fields: Vec<(String, String)> =
                url::form_urlencoded::parse(&body).into_owned().collect();
            let field = |name: &str| {
                fields
                    .iter()
                    .find(|(known, _)| known == name)
                    .map(|(_, value)| value)
            };
            let body = json!({
                "user_ids": [user.parse::<i64>().expect("a number")], "issued_on": field("from"),
                "expires_on": field("until"),
                "association": { "type": "external", "link": field("proof") },
            });
            let path = format!("/certification/v1/certifications/{certification}/awards");
            tenant
                .translate(&headers, Method::POST, &path, body, |data| {
                    let why = &data["errors"][0]["message"];
                    (
                        StatusCode::OK,
                        json!({ "given": why.is_null(), "why": why }),
                    )
                })
                .await
        }
        _ => {
            tenant
                .pass_on(method, &uri.to_string(), &headers, body)
                .await
        }
    }
}

impl Tenant {
    /// Asks Docebo in its own way, and says the answer in the platform's.
    async fn translate(
        &self,
        headers: &HeaderMap,
        method: Method,
        path: &str,
        body: Value,
        say: impl Fn(&Value) -> (StatusCode, Value),
    ) -> Response {
        let request = self.http.request(method, format!("{}{path}", self.docebo));
        let signed = request.header("authorization", headers["authorization"].clone());
        let request = match body {
            Value::Null => signed,
            body => signed.json(&body),
        };
        // The connection to Docebo broke off: the platform does not know either.
        let Ok(answer) = request.send().await else {
            return StatusCode::BAD_GATEWAY.into_response();
        };
        let (status, text) = (answer.status(), answer.text().await.unwrap_or_default());
        let body = serde_json::from_str::<Value>(&text).unwrap_or_default();
        match status {
            StatusCode::OK | StatusCode::NOT_FOUND => {
                let (status, body) = say(&body["data"]);
                (status, axum::Json(body)).into_response()
            }
            StatusCode::FORBIDDEN => StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS.into_response(),
            status => (status, text).into_response(),
        }
    }

    async fn pass_on(
        &self,
        method: Method,
        path: &str,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Response {
        let mut request = self.http.request(method, format!("{}{path}", self.docebo));
        for name in ["authorization", "content-type"] {
            if let Some(value) = headers.get(name) {
                request = request.header(name, value.clone());
            }
        }
        let Ok(answer) = request.body(body).send().await else {
            return StatusCode::BAD_GATEWAY.into_response();
        };
        let (status, kind) = (
            answer.status(),
            answer.headers().get("content-type").cloned(),
        );
        let mut passed = (status, answer.bytes().await.unwrap_or_default()).into_response();
        if let Some(kind) = kind {
            passed.headers_mut().insert("content-type", kind);
        }
        passed
    }
}
