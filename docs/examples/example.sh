#!/usr/bin/env bash
# BeeFormer.Streaming with curl alone: bash example.sh [http://127.0.0.1:8080] [API key]
set -euo pipefail
server=${1:-http://127.0.0.1:8080}
key=${2:-}

# Repeats what may pass, for as long as the server asks (Retry-After); a refusal is shown and ends the script.
call() {
  local method=$1 path=$2
  shift 2
  curl --silent --show-error --fail-with-body --max-time 60 --retry 5 --retry-connrefused ${key:+--header "authorization: Bearer $key"} \
    --header 'content-type: application/json' --request "$method" "$server$path" "$@"
}
# The values of a member; a real script would use jq.
values() { { grep -oE "\"$1\":(\"[^\"]*\"|[0-9]+)" || true; } | cut -d: -f2- | tr -d '"' | tr '\n' ' ' | sed 's/ $//'; }

# The catalogue. A new item is in the answers as soon as its text is encoded.
call PUT /v1/items/example-stove --data '{"title": "Gas stove, two burners", "description": "Runs on cartridges; folds flat.", "attributes": {"category": "example", "price": 49.9}}' >/dev/null
call POST /v1/items --data '[{"item_id": "example-tent", "title": "Tent for two", "attributes": {"category": "example"}}, {"item_id": "example-pan", "title": "Camping pan, aluminium", "attributes": {"category": "example"}}]' >/dev/null
for _ in $(seq 600); do
  embedded=$(call POST /v1/embeddings --data '{"item_ids": ["example-stove", "example-tent", "example-pan"]}')
  case $embedded in *'"vector":null'*) sleep 0.1 ;; *) break ;; esac
done

# Events. With an event_id each counts once, however often it is sent.
run=$(date +%s%N)
events="[{\"event_id\": \"$run-1\", \"user_id\": \"example-bob\", \"item_id\": \"example-stove\", \"type\": \"purchase\", \"value\": 1},
         {\"event_id\": \"$run-2\", \"user_id\": \"example-bob\", \"item_id\": \"example-tent\", \"type\": \"view\"}]"
for name in events again; do
  answer=$(call POST /v1/events --data "$events")
  echo "$name: accepted $(values accepted <<<"$answer"), duplicate $(values duplicate <<<"$answer"), refused $(values refused <<<"$answer")"
done

echo "search: $(call POST /v1/search --data '{"text": "something to cook on outdoors", "k": 2, "filter": {"category": "example"}}' | values item_id)"
echo "similar: $(call POST /v1/items/example-stove/similar --data '{"k": 2, "filter": {"category": "example"}}' | values item_id)"
echo "recommended: $(call POST /v1/recommendations --data '{"user_id": "example-bob", "k": 5}' | values item_id)"

# A refusal has a status, a stable code and, where there is one, the field.
refused=$(curl --silent --max-time 60 ${key:+--header "authorization: Bearer $key"} --header 'content-type: application/json' "$server/v1/recommendations" --data '{"user_id": "example-bob", "k": 0}')
echo "refused: $(values status <<<"$refused") $(values code <<<"$refused") $(values field <<<"$refused")"

# Leave nothing behind.
call DELETE /v1/users/example-bob >/dev/null
for item in stove tent pan; do call DELETE "/v1/items/example-$item" >/dev/null; done
