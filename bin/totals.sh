# totals.sh FOLDER STATUS: counts the xunit files and ends with "N passed, N failed, N skipped".
set +e +o pipefail
folder="$1"; status="$2"
count() { cat "$folder"/*.xml 2>/dev/null | grep -o "$1" | wc -l | tr -d ' '; }
total=$(count '<testcase ')
failed=$(cat "$folder"/*.xml 2>/dev/null | tr '\n' ' ' | sed 's/<testcase /\n<testcase /g' | grep -c '<failure')
skipped=$(count '<skipped')
[ "$status" -ne 0 ] && [ "$failed" -eq 0 ] && failed=1
[ "$total" -eq 0 ] && { echo "0 passed, 1 failed"; exit 1; }
echo "$((total - failed - skipped)) passed, $failed failed, $skipped skipped"
exit "$status"
