"""The list as a Streamlit page: called by `page.py` with the table's file."""

import sys

import pandas as pd
import streamlit as st

st.title("Fleet")
table = pd.read_csv(sys.argv[1])
status = st.selectbox("Status", ["", *table["status"].unique()])
st.dataframe(table[table["status"] == status] if status else table)
