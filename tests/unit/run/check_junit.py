"""Reads JUnit XML of texts with anything in them as CI systems do: check_junit.py JUNIT_SAMPLE"""

import random
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

PIECES = [bytes([value]) for value in range(256)] + [
    b'1..3\nok 1 - ', b'\nnot ok 2 - ', b'\n# ', b'\nok 3 # SKIP ', b'\r\n', b'\x1b[1m', b']]>',
    b'<![CDATA[', b'&amp;', '\u20ac'.encode(), '\U0001f600'.encode(), b'\xed\xa0\x80',
    b'\xef\xbf\xbe', b'\xef\xbf\xbf', b'\xf4\x90\x80\x80', '\x85\u2028'.encode()]


def write(sample, text):
    result = subprocess.run([sample], input=text, stdout=subprocess.PIPE, check=True)
    return ElementTree.fromstring(result.stdout)


def check(root):
    assert root.tag == 'testsuites', root.tag
    suite, = root
    assert suite.attrib == root.attrib, suite.attrib
    cases = suite.findall('testcase')
    assert int(suite.get('tests')) == len(cases), suite.attrib
    assert int(suite.get('failures')) == len(suite.findall('testcase/failure')), suite.attrib
    assert int(suite.get('skipped')) == len(suite.findall('testcase/skipped')), suite.attrib
    assert all({'name', 'classname', 'time'} <= set(case.attrib) for case in cases)
    assert len(suite.findall('system-out')) == 1


def main():
    sample = sys.argv[1]
    suite, = write(sample, 'caf\u00e9 \U0001f600 "<&>\'\t\n\ufffe\x01'.encode())
    text = 'caf\u00e9 \U0001f600 "<&>\'\t\n\ufffd\ufffd'
    assert suite.get('name') == text, suite.get('name')
    assert suite.find('testcase/failure').get('message') == text
    assert suite.find('testcase/failure').text == text
    assert suite.find('system-out').text == text

    numbers = random.Random(6)
    for _ in range(50):
        check(write(sample, b''.join(numbers.choices(PIECES, k=numbers.randrange(400)))))
    check(write(sample, bytes(numbers.randrange(256) for _ in range(200000))))


main()
