# totals.sh FOLDER STATUS: names the tests that failed, and ends with "N passed, N failed, N skipped" of the xunit files.
set +e +o pipefail
folder="$1"; status="$2"
count() { cat "$folder"/*.xml 2>/dev/null | grep -o "$1" | wc -l | tr -d ' '; }
total=$(count '<testcase ')
failed=$(cat "$folder"/*.xml 2>/dev/null | tr '\n' ' ' | sed 's/<testcase /\n<testcase /g' | grep -c '<failure')
skipped=$(count '<skipped')
[ "$status" -ne 0 ] && [ "$failed" -eq 0 ] && failed=1
# Named once more at the end, with what was expected: of a long log often only the end is kept.
for engine in "$folder"/*.xml; do
  tr '\n' ' ' <"$engine" 2>/dev/null | sed 's/<testcase /\n&/g' | grep '<failure' |
    sed -E "s|^<testcase classname=\"([^\"]*)\" name=\"([^\"]*)\".*<failure message=\"([^\"]{0,600}).*|FAILED on $(basename "$engine" .xml): \1 \2: \3|"
done
[ "$total" -eq 0 ] && { echo "0 passed, 1 failed"; exit 1; }
echo "$((total - failed - skipped)) passed, $failed failed, $skipped skipped"
exit "$status"
