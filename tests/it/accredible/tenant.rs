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
            tenant.write(&headers, &said()["record"]).await
        }
        ("POST", ["transcripts", "v2", "records", key, "revise"]) => {
            tenant.revise(&headers, key, &said()).await
        }
        ("GET", ["transcripts", "v2", "people", user, "records"]) => {
            tenant.records(&headers, user).await
        }
        ("PUT", ["people", user, "certificates", certification]) => {
            tenant.award(&headers, user, certification, &body).await
        }
        _ => {
            let path = uri.to_string();
            tenant.pass_on(method, &path, &headers, body).await
        }
    }
}

/// Who did what, as Docebo takes it.
fn training(record: &Value) -> Value {
    json!({
        "course_name": record["title"], "training_institute": record["provider"]["name"],
        "from_date": record["took_place"]["from"], "to_date": record["took_place"]["until"],
    })
}

impl Tenant {
    async fn write(&self, headers: &HeaderMap, record: &Value) -> Response {
        let mut body = training(record);
        body["user_id"] = record["person"].clone();
        body["status"] = json!("approved");
        let path = "/learn/v1/external_training";
        let say = |data: &Value| {
            let key = format!("TR-{}", data["id"]);
            (StatusCode::CREATED, json!({ "key": key }))
        };
        self.translate(headers, Method::POST, path, body, say).await
    }

    async fn revise(&self, headers: &HeaderMap, key: &str, record: &Value) -> Response {
        let id = key.trim_start_matches("TR-");
        let path = format!("/learn/v1/external_training/{id}");
        let say = |data: &Value| {
            let result = match data.is_null() {
                true => "no such record",
                false => "revised",
            };
            (StatusCode::OK, json!({ "result": result }))
        };
        self.translate(headers, Method::PUT, &path, training(record), say)
            .await
    }

    async fn records(&self, headers: &HeaderMap, user: &str) -> Response {
        let path = format!("/learn/v1/external_training?page_size=200&user_id[]={user}");
        let record = |item: &Value| {
            json!({
                "key": format!("TR-{}", item["training_id"]), "person": item["user_id"],
                "title": item["course_name"],
                "took_place": { "from": item["from_date"], "until": item["to_date"] },
            })
        };
        let say = |data: &Value| {
            let items = data["items"].as_array().cloned().unwrap_or_default();
            let records: Vec<Value> = items.iter().map(record).collect();
            let all = records.len();
            (StatusCode::OK, json!({ "all": all, "records": records }))
        };
        self.translate(headers, Method::GET, &path, Value::Null, say)
            .await
    }

    async fn award(
        &self,
        headers: &HeaderMap,
        user: &str,
        certification: &str,
        form: &[u8],
    ) -> Response {
        let fields: Vec<(String, String)> =
            url::form_urlencoded::parse(form).into_owned().collect();
        let field = |name: &str| {
            let found = fields.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value)
        };
        let body = json!({
            "user_ids": [user.parse::<i64>().expect("a number")], "issued_on": field("from"),
            "expires_on": field("until"),
            "association": { "type": "external", "link": field("proof") },
        });
        let path = format!("/certification/v1/certifications/{certification}/awards");
        let say = |data: &Value| {
            let why = &data["errors"][0]["message"];
            let given = why.is_null();
            (StatusCode::OK, json!({ "given": given, "why": why }))
        };
        self.translate(headers, Method::POST, &path, body, say)
            .await
    }

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
