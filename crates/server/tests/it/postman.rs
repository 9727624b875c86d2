//! `docs/postman`: the collection leaves out nothing that is published.

use serde_json::Value;

use crate::world::World;

const COLLECTION: &str = include_str!("../../../../docs/postman/redial.postman_collection.json");
const ENVIRONMENT: &str = include_str!("../../../../docs/postman/redial.postman_environment.json");

/// One request of the collection.
struct Request {
    method: String,
    path: String,
}

/// The requests of a folder and of the folders in it.
fn requests(folder: &Value, found: &mut Vec<Request>) {
    for item in folder["item"].as_array().into_iter().flatten() {
        requests(item, found);
        let request = &item["request"];
        if request.is_null() {
            continue;
        }
        // Text as written by hand, or the parts that Postman exports.
        let url = request["url"].as_str().or_else(|| request["url"]["raw"].as_str());
        let path = url.and_then(|url| url.strip_prefix("{{baseUrl}}"));
        let path = path.unwrap_or_else(|| panic!("an address that does not begin with baseUrl: {item}"));
        found.push(Request {
            method: request["method"].as_str().unwrap_or("GET").to_ascii_lowercase(),
            path: path.split('?').next().unwrap_or_default().to_owned(),
        });
    }
}

fn collection() -> (Value, Vec<Request>) {
    let collection: Value = serde_json::from_str(COLLECTION).expect("the collection is JSON");
    let mut found = Vec::new();
    requests(&collection, &mut found);
    (collection, found)
}

/// Whether a path is one of those that a described path stands for: `{name}` is any one part.
fn fits(path: &str, described: &str) -> bool {
    let (mut parts, mut wanted) = (path.split('/'), described.split('/'));
    loop {
        match (parts.next(), wanted.next()) {
            (None, None) => return true,
            (Some(part), Some(want)) if want.starts_with('{') || part == want => {}
            _ => return false,
        }
    }
}

#[tokio::test]
async fn each_published_operation_stands_in_the_collection() {
    let document = World::new().await.get("/openapi.json").await.json();
    let (_, requests) = collection();
    let paths = document["paths"].as_object().expect("there are paths");
    for (path, methods) in paths {
        for method in methods.as_object().expect("a path has methods").keys() {
            let used = requests
                .iter()
                .any(|request| request.method == *method && fits(&request.path, path));
            assert!(
                used,
                "{method} {path} is in no request of docs/postman: add one, with what it answers"
            );
        }
    }
}

#[test]
fn each_request_checks_its_answer_and_says_what_it_shows() {
    fn look(folder: &Value) {
        for item in folder["item"].as_array().into_iter().flatten() {
            look(item);
            let described = item.get("request").unwrap_or(item);
            assert!(
                described["description"].as_str().is_some_and(|it| !it.is_empty()),
                "{item}"
            );
            if item.get("request").is_some() {
                let events = item["event"].as_array().into_iter().flatten();
                let mut tests = events.filter(|event| event["listen"] == "test");
                assert!(
                    tests.any(|test| test["script"]["exec"].to_string().contains("(pm, ")),
                    "{item}"
                );
            }
        }
    }
    let (collection, requests) = collection();
    assert!(requests.len() > 100, "{}", requests.len());
    look(&collection);
}

#[test]
fn the_environment_has_the_three_variables_that_the_collection_takes_from_it() {
    let environment: Value = serde_json::from_str(ENVIRONMENT).expect("the environment is JSON");
    let given = environment["values"].as_array().expect("variables");
    let given: Vec<&str> = given.iter().filter_map(|it| it["key"].as_str()).collect();
    assert_eq!(given, ["baseUrl", "apiKey", "authToken"]);
    for name in given {
        assert!(COLLECTION.contains(name), "{name}");
    }
}
