use axum::body::Body as Sent;
use axum::http::header;
use clinical::fhir::FILE_BYTES;

use super::body::{Body, read};
use super::*;

async fn arrived(body: impl Into<Sent>) -> Result<Body, Problem> {
    read(Request::new(body.into())).await
}

async fn code(body: impl Into<Sent>) -> ProblemCode {
    match arrived(body).await {
        Ok(_taken) => panic!("it is taken"),
        Err(problem) => problem.code,
    }
}

#[tokio::test]
async fn the_first_line_says_what_to_do_and_the_rest_is_the_file_as_it_is() {
    let sent =
        "{\"kind\":\"take\",\"accept\":[\"a\"],\"ticks\":[\"deceased\"]}\nline\nline\r\n\u{0}";
    let Ok(Body::Whole(ask, file)) = arrived(sent).await else { panic!("it is whole") };

    let accept = BTreeSet::from(["a".to_owned()]);
    let ticks = BTreeSet::from([ImportTick::Deceased]);
    assert_eq!(ask, ImportRequest::Take { accept, ticks });
    assert_eq!(file.as_ref(), b"line\nline\r\n\0");
}

#[tokio::test]
async fn a_body_of_another_shape_is_no_import() {
    for bad in ["", "{\"kind\":\"preview\"}", "preview\nfile", "{\"kind\":\"take\"}\n", "[]\n"] {
        assert_eq!(code(bad).await, ProblemCode::BadRequest, "{bad:?}");
    }
    let long = format!("{}\n", " ".repeat(300 * 1024));
    assert_eq!(code(long).await, ProblemCode::BadRequest, "a first line has a length");
}

#[tokio::test]
async fn what_is_too_large_is_not_read_to_its_end() {
    let mut announced = Request::new(Sent::empty());
    announced.headers_mut().insert(header::CONTENT_LENGTH, (1_u64 << 40).into());
    let Ok(Body::TooLarge { bytes }) = read(announced).await else { panic!("it is refused") };
    assert_eq!(bytes, 1 << 40);

    let more = vec![b' '; FILE_BYTES + 300 * 1024];
    assert!(matches!(arrived(more).await, Ok(Body::TooLarge { .. })));
}
